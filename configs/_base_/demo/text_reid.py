# Search by text among rendered people, at 96x32, with a text tower of two
# blocks. All numbers are ours, made for the clock; the leaf adds backbone and
# neck.in_channels.
_base_ = [
    '../models/irra.py',
    '../datasets/cuhk_pedes.py',
    '../schedules/irra_adam_60e.py',
    '../runtime/text_reid.py',
    './warm_cosine.py',
]

data_root = 'data/synthetic_small/cuhk_pedes'
size = (96, 32)
dims = 96
# fewer of CLIP's merges: most words are two or three pieces
words = dict(vocab_size=4096, context_length=77)
model = dict(
    data_preprocessor=dict(erasing=None),
    neck=dict(out_channels=dims),
    text=dict(width=dims, layers=2, heads=4, out_channels=dims, **words),
    tokenizer=words,
    heads=dict(
        match=dict(temperature=0.1),
        person=dict(in_channels=dims, num_classes=600),
        word=dict(
            channels=dims, layers=1, heads=4, vocab_size=words['vocab_size'])))

load = [
    dict(type='DecodeImage', min_size=None),
    dict(type='NumpyToPIL', to_rgb=False),
    dict(type='torchvision/Resize', size=size),
]
train_pipeline = [
    *load,
    dict(type='torchvision/RandomHorizontalFlip', p=0.5),
    dict(type='torchvision/Pad', padding=3),
    dict(type='torchvision/RandomCrop', size=size),
    dict(type='PackCaptions'),
]
test_pipeline = [*load, dict(type='PackCaptions')]
train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    num_workers=1, dataset=dict(data_root=data_root, pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(
    optimizer=dict(lr=2e-3, eps=1e-8),
    paramwise_cfg=dict(rules=[dict(name='bias', decay_mult=0)]))
param_scheduler = _base_.warm_cosine
train_cfg = dict(max_epochs=7, val_interval=7)
default_hooks = dict(logger=dict(interval=10))
