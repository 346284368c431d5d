# PA100K, 26 attributes: 80 000 + 10 000 pictures to train, 10 000 to test.
# Training watches the test pictures, as the field does (authors): the rate
# falls by their loss, and the best mA on them is reported. Without that:
#   --cfg-options train_dataloader.dataset.split=train
#       val_dataloader.dataset.split=val
# and the test pictures are seen by tools/test.py alone. Rendered people
# instead, all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/pa100k
# and val_dataloader..., test_dataloader...
data_root = 'data/PA100k'
size = (256, 128)  # authors; height, width

resize = dict(  # smooths where it shrinks, as in the authors' code
    type='Resize',
    scale=size[::-1],
    backend='pillow')
train_pipeline = [
    dict(type='LoadAnnotatedImage'),
    resize,
    dict(type='RandomCrop', crop_size=size, padding=10),  # authors
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),  # authors
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='LoadAnnotatedImage'),
    resize,
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=64,  # authors; 1 GPU x 64
    num_workers=4,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='PA100KDataset',
        data_root=data_root,
        split='trainval',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='PA100KDataset',
        data_root=data_root,
        split='test',
        pipeline=test_pipeline,
        test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(type='AttributeMetric')
test_evaluator = val_evaluator
