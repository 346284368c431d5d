# SAIP* as the authors' deleted code has it, see vit_tiny_path_authors.py. Two
# transformer blocks behind the last map make an attention to be compared;
# 6.43 M parameters with the blocks, which only pretraining has.
_base_ = './starnet_s3_path.py'

model = dict(
    encoder=dict(
        backbone=dict(
            last_stride=1,  # authors
            last_norm=True),  # authors
        blocks=dict(entry='linear')),  # authors: 192 wide, 6 and 12 heads
    expert=_base_.alignment_expert,
    heads=dict(_delete_=True, align=_base_.alignment))

train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], **_base_.alignment_crops),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
