# DINO in the paper's protocol (4.2): data, batch, rate and length of SAIP's
# recipe; objective, views and the rest are DINO's
_base_ = '../saip/vit_tiny.py'

model = dict(
    type='ViewPretraining',
    # both global crops have one size
    data_preprocessor=dict(scale_range=(1.0, 1.0)),  # DINO
    encoder=dict(backbone=dict(drop_path_rate=0.1)),  # DINO, of the student
    heads=dict(
        _delete_=True,
        dino=dict(
            type='DINOHead',
            decoder=dict(
                type='ImageDecoder',
                hidden_dims=2048,  # DINO
                bottleneck_dims=256,  # DINO
                num_prototypes=65536),  # DINO
            student_temperature=0.1,  # DINO
            expert_temperature=0.04,  # DINO; raised by ExpertTemperatureHook
            center_momentum=0.9)))  # DINO

train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        num_scales=1,  # the second global crop
        num_locals=8,  # DINO
        background_size=None)
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
