# HAP in minutes on a CPU: ViT-Tiny at 96x48 on rendered people, whose
# keypoints are exact. Made for the clock, like ../mae/demo.py. Data as for
# ../saip/demo.py.
_base_ = '../mae/demo.py'

model = dict(
    heads=dict(
        _delete_=True,
        hap=dict(
            type='HAPHead',
            mask_ratio=0.5,  # HAP; of 18 patches
            decoder=dict(dims=128, depth=2, num_heads=4))))
train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], area=(0.8, 1.0))  # HAP
]
train_dataloader = dict(
    dataset=dict(
        pipeline=train_pipeline,
        sources=[
            dict(
                data_root='data/synthetic/luperson',
                keypoints_file='keypoints.npy')
        ]))
