# TransReID's strong baseline on any backbone: image token, BNNeck, identity
# and triplet loss. The leaf adds the backbone and how many persons train. Off,
# as with SAIP's authors: jpm=dict() and sie=dict(num_cams=...), for ViT alone.
model = dict(
    type='TransReID',
    data_preprocessor=dict(
        type='PersonPreprocessor',
        # ImageNet's, of pretraining; in four of the authors' six files, the
        # other two have 127.5 for both
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        erase_prob=0.5),  # authors
    head=dict(
        type='BNNeckHead',
        loss_id=dict(type='CrossEntropyLoss', loss_weight=1.0),  # authors
        # authors: soft; margin=0.3 is the other form
        loss_triplet=dict(
            type='BatchHardTripletLoss', margin=None, loss_weight=1.0),
        neck_feat='before'))  # authors
