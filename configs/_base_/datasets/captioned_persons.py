# Search by text: pictures to 384x128; a sentence of the training set an item,
# of the others a picture with all its sentences. What is erased, and the
# statistics, are the data preprocessor's. A leaf names the set.
# Plain shuffling (authors), a last short batch kept.
size = (384, 128)  # authors; height, width
load = [
    dict(type='DecodeImage', min_size=None),  # None: in full
    dict(type='NumpyToPIL', to_rgb=False),  # is RGB
    dict(type='torchvision/Resize', size=size),  # reference: bilinear
]
train_pipeline = [
    *load,
    dict(type='torchvision/RandomHorizontalFlip', p=0.5),  # authors
    dict(type='torchvision/Pad', padding=10),  # authors
    dict(type='torchvision/RandomCrop', size=size),
    dict(type='PackCaptions'),
]
test_pipeline = [*load, dict(type='PackCaptions')]

train_dataloader = dict(
    batch_size=16,  # 8 GPUs x 16 = 128; one GPU: 128
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='ResumableSampler', shuffle=True),
    dataset=dict(split='train', pipeline=train_pipeline))
# the split that selects the best epoch is the one that is tested (authors),
# so that its figures are a little high; CUHK-PEDES and RSTPReid have a
# validation split: --cfg-options val_dataloader.dataset.split=val
val_dataloader = dict(
    batch_size=64,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(split='test', pipeline=test_pipeline, test_mode=True))
test_dataloader = val_dataloader
val_evaluator = dict(type='CaptionRetrievalMetric')
# i2t, every picture among all sentences: another of them, direction='i2t'
test_evaluator = val_evaluator
