# HAP in the paper's protocol (4.2): data, batch, rate, decay and length of
# SAIP's recipe; objective and views are HAP's. From random weights, as the
# paper's other rows: HAP itself starts from ImageNet's MAE.
_base_ = '../mae/vit_tiny.py'

model = dict(
    heads=dict(
        _delete_=True,
        hap=dict(
            type='HAPHead',
            mask_ratio=0.5,  # HAP
            temperature=0.2,  # HAP
            align_weight=0.05,  # HAP
            decoder=dict(dims=512, depth=8, num_heads=16))))  # HAP, as MAE

train_pipeline = [
    _base_.train_pipeline[0],
    dict(
        _base_.train_pipeline[1],
        area=(0.8, 1.0),  # HAP
        aspect=(0.375, 0.667))  # HAP
]
# keypoints: tools/dataset_converters/keypoints.py. Without them blocks are
# masked: sources=[dict(data_root='data/luperson', ann_file='lup1m.txt')]
train_dataloader = dict(
    dataset=dict(
        pipeline=train_pipeline,
        sources=[
            dict(
                data_root='data/luperson',
                ann_file='lup1m.txt',
                keypoints_file='keypoints.npy')
        ]))
