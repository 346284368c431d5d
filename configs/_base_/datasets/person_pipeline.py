# Views of one person image: workers cut uint8 crops, the device does the
# rest (PersonViewPreprocessor). Files beside this one only name sources.
train_pipeline = [
    # Reduced decoding where 512x256 remain: a local crop of 5 % is then
    # still 114x57 pixels. # ours
    dict(type='DecodeImage', min_size=(512, 256),
         max_pixels=178_956_970),  # ours: 512 MiB as RGB; more is broken
    dict(
        type='PersonCrops',
        size=(256, 128),  # paper 4.2: height, width
        num_scales=2,  # ours: N
        num_locals=6,  # ours
        local_size=(128, 64),  # release
        background_size=(256, 256),  # ours; release 224x224
        area=(0.8, 1.0),  # release
        local_area=(0.05, 0.8),  # release
        background_area=(0.2, 1.0),  # release
        aspect=(0.4, 0.6),  # release: width / height
        background_aspect=(3 / 4, 4 / 3),  # release
        flip=0.5,  # release
        patch_size=16),
]
train_dataloader = dict(
    batch_size=256,  # paper 4.2: 8 GPUs x 256 = 2048
    num_workers=8,  # ours, a GPU
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    # Behind the persons: another image of the batch (ours). The release
    # draws from a folder, as this does: dataset=dict(
    #     background=[dict(data_root='data/imagenet/train')])
    dataset=dict(type='PersonImages', pipeline=train_pipeline))
