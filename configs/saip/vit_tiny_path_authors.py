# SAIP* as the authors' deleted code has it: image tokens and the last block's
# attention are aligned with PATH's, no reconstruction and no search. That this
# is what the paper's SAIP* was is inferred.
_base_ = './vit_tiny_path.py'

model = dict(
    encoder=dict(backbone=dict(
        num_heads=6,  # authors
        last_block_heads=12)),  # authors: as PATH's
    expert=_base_.alignment_expert,
    heads=dict(_delete_=True, align=_base_.alignment))

train_pipeline = [
    _base_.train_pipeline[0],
    dict(_base_.train_pipeline[1], **_base_.alignment_crops),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
