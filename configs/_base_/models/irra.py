# IRRA: a backbone and CLIP's text half in one space of 512. The leaf adds
# backbone, neck.in_channels and heads.person.num_classes. 63 M parameters are
# the text tower's, which starts from CLIP's weights by
#   --cfg-options model.text.init_cfg.checkpoint=FILE
# OpenAI's or transformers' (model.safetensors) ViT-B/16; without them it
# starts at random, for which the public sets are small.
model = dict(
    type='IRRA',
    data_preprocessor=dict(
        type='CaptionedPersonPreprocessor',
        # authors: CLIP's; ImageNet's, as in pretraining, are
        # mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
        mean=[122.7709383, 116.7460125, 104.09373615],
        std=[68.5005327, 66.6321579, 70.32316305],
        erasing=dict(p=0.5, scale=(0.02, 0.4), ratio=(0.3, 3.3))),  # authors
    neck=dict(type='JointProjection', out_channels=512),  # authors: no norm
    text=dict(
        type='CaptionEncoder',
        width=512,  # authors: CLIP ViT-B/16's
        layers=12,
        heads=8,
        out_channels=512,
        init_cfg=dict(type='Pretrained', checkpoint=None)),  # None: random
    tokenizer=dict(type='CaptionTokenizer'),
    heads=dict(  # None leaves one out; weights are 1 (authors)
        match=dict(type='PairMatchingHead', loss='sdm',
                   temperature=0.02),  # authors
        person=dict(type='PersonClassHead', in_channels=512),
        word=dict(
            type='HiddenWordHead',
            channels=512,
            layers=4,  # authors
            heads=8)),  # reference
    masking=dict(
        prob=0.15,  # reference
        # reference: what it was published with, by a slip; False: its paper
        shared=True))
