# Market1501, 751 persons: 12 936 pictures to train, 3 368 queries, a gallery
# of 15 913. Rendered people instead, all three of
#   --cfg-options train_dataloader.dataset.data_root=data/synthetic/market1501
# and val_dataloader..., test_dataloader..., with model.head.num_classes=750
# Persons of one's own: configs/reid/own/example.py.
data_root = 'data/market1501'
size = (256, 128)  # authors; height, width

# as Pillow resizes: smooth where it shrinks
train_pipeline = [
    dict(type='DecodeImage', min_size=None),
    dict(type='NumpyToPIL'),
    # authors
    dict(type='torchvision/Resize', size=size, interpolation='bicubic'),
    dict(type='torchvision/RandomHorizontalFlip', p=0.5),  # authors
    dict(type='torchvision/Pad', padding=10),  # authors; black
    dict(type='torchvision/RandomCrop', size=size),
    dict(type='PILToNumpy'),
    dict(type='PackPerson', input_key='img'),
]
test_pipeline = [
    dict(type='DecodeImage', min_size=None),
    dict(type='NumpyToPIL'),
    # authors
    dict(type='torchvision/Resize', size=size, interpolation='bilinear'),
    dict(type='PILToNumpy'),
    dict(type='PackPerson', input_key='img'),
]

train_dataloader = dict(
    # authors, on one GPU: 16 persons of 4 pictures each. On 8 GPUs,
    # train_dataloader.batch_size=8 gives the same batches
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ResumableSampler'),
    # authors
    batch_sampler=dict(type='IdentityBatchSampler', num_instances=4),
    dataset=dict(
        type='MarketDataset',
        data_root=data_root,
        split='train',
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=256,  # reference
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='QueryAndGallery',
        reader='MarketDataset',
        data_root=data_root,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
# by k-reciprocal re-ranking: test_evaluator.rerank=True
val_evaluator = dict(type='PersonRetrievalMetric', rerank=False)
test_evaluator = val_evaluator

auto_scale_lr = dict(enable=False, base_batch_size=64)  # authors
