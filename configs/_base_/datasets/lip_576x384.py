# LIP as SAIP's authors take it: the whole picture, aspect kept, in a crop of
# 576x384. Folders and lists as in lip_480x480.py.
_base_ = './lip_480x480.py'

crop_size = (576, 384)  # authors; height, width

train_pipeline = [
    dict(type='LoadPartImage'),  # the way up that its label is
    dict(type='LoadPartLabels'),
    dict(
        type='WholePictureAffine',
        size=crop_size,
        scale_sigma=0.25,  # authors
        scale_range=(0.75, 1.25),  # authors
        rotation_sigma=30,  # authors; degrees, clipped to 60
        rotation_prob=0.6),  # authors
    dict(type='RandomPartFlip', prob=0.5),  # authors
    dict(type='PackPartInputs'),
]
fit = dict(type='WholePictureAffine', size=crop_size)
test_pipeline = [
    dict(type='LoadPartImage'),
    fit,
    dict(type='LoadPartLabels'),  # after fitting: at its own size
    dict(type='PackPartInputs'),
]
tta_pipeline = [
    dict(type='LoadPartImage'),
    fit,
    dict(
        type='TestTimeAug',
        transforms=[
            [
                dict(type='Resize', scale_factor=factor, keep_ratio=True)
                for factor in (0.5, 0.75, 1.0, 1.25, 1.5)  # authors
            ],
            [dict(type='RandomPartFlip', prob=p) for p in (0., 1.)],
            [dict(type='LoadPartLabels')],
            [dict(type='PackPartInputs')],
        ]),
]

train_dataloader = dict(
    batch_size=12,  # 8 GPUs x 12 = 96; authors 4 x 24
    # a last batch of one picture is none for BatchNorm; 30 462 of LIP's
    # pictures are 317 batches of 96 and 30 more, others in each epoch
    drop_last=True,
    sampler=dict(
        _delete_=True, type='mmpretrain.ResumableSampler', shuffle=True),
    dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
