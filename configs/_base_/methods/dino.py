# DINO in the paper's protocol (4.2): data, batch, rate and length are those of
# SAIP's recipe; objective, views and the rest are DINO's. The leaf adds the
# backbone, as to saip.py.
_base_ = [
    './prototypes.py',
    '../datasets/lup1m.py',
    '../schedules/adamw_coslr_300e_amp.py',
    '../default_runtime.py',
]

model = dict(
    type='ViewPretraining',
    data_preprocessor=dict(
        type='PersonViewPreprocessor',
        scale_range=(1.0, 1.0)),  # DINO: both global crops have one size
    encoder=dict(type='PersonEncoder'),
    expert=dict(type='EmaExpert'),
    heads=dict(dino=dict(_base_.prototypes, type='DINOHead')))

train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        num_scales=1,  # the second global crop
        num_locals=8,  # DINO
        background_size=None)
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
