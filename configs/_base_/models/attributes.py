# Attributes: the feature of the whole person and a linear layer (authors). The
# leaf adds backbone, neck and in_channels.
model = dict(
    type='ImageClassifier',
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53],  # authors; ImageNet
        std=[58.395, 57.12, 57.375],  # authors
        to_rgb=True),
    head=dict(
        type='AttributeHead',
        num_classes=26,
        # a picture that has an attribute of share r weighs exp(1 - r), one
        # that has not exp(r); r of the training data
        loss=dict(type='LabelRatioLoss')))  # authors
