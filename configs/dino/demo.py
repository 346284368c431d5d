# DINO on a CPU: StarNet-S3 at 64x32 on rendered people, under the conditions
# of ../saip/demo_prototypes.py, and four times as long: two local crops beside
# make the matching harder. Data as for ../saip/demo.py; what was measured:
# docs/results.md.
_base_ = '../saip/demo_prototypes.py'

model = dict(
    type='ViewPretraining',
    heads=dict(_delete_=True, dino=dict(_base_.prototypes, type='DINOHead')))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        num_locals=2,
        local_size=(32, 16),
        local_area=(0.3, 0.8)),  # of less, many show no garment
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
train_cfg = dict(max_epochs=40)  # of 25 iterations
default_hooks = dict(checkpoint=dict(interval=10), knn=dict(interval=10))
