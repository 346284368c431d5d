# DINO in minutes on a CPU: StarNet-S3 at 64x32 on rendered people, under the
# conditions of ../saip/demo_prototypes.py. Data as for ../saip/demo.py. In
# its 250 iterations the search does not improve: docs/results.md.
_base_ = '../saip/demo_prototypes.py'

model = dict(
    type='ViewPretraining',
    heads=dict(_delete_=True, dino=dict(_base_.prototypes, type='DINOHead')))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], num_locals=2, local_size=(32, 16)),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
