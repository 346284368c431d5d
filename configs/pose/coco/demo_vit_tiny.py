# The demo with ViT-Tiny, which starts slower from random weights, at 128x96:
# of 64x48 it has 4x3 tokens
_base_ = [
    '../../_base_/backbones/vit_tiny.py',
    '../../_base_/demo/pose.py',
]

# width, height; maps at stride 4, whose cells are those of the other demo
codec = dict(_base_.codec, input_size=(96, 128))
model = dict(
    backbone=dict(
        _base_.backbone,
        img_size=(128, 96),
        init='mmpretrain',
        positions='sincos',  # tell places apart from the start
        drop_path_rate=0.),
    head=dict(
        in_channels=192,
        deconv_out_channels=(64, 64),  # from stride 16
        deconv_kernel_sizes=(4, 4),
        decoder=codec))

crop = dict(type='TopdownAffine', input_size=codec['input_size'], use_udp=True)
train_pipeline = [
    *_base_.train_pipeline[:-3],
    crop,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    *_base_.test_pipeline[:-2],
    crop,
    dict(type='PackPoseInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=5e-4))  # no BatchNorm: a smaller step
train_cfg = dict(max_epochs=12)
