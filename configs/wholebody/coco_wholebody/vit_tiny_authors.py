# As SAIP's authors fine-tune in their later code, but tested with a detector's
# boxes, as in an older copy of theirs and for both other backbones. Their file
# has the heads of SAIP*'s students; for these:
#   model.backbone.num_heads=6 model.backbone.last_block_heads=12
_base_ = './vit_tiny.py'

model = dict(
    backbone=dict(
        with_cls_token=False,  # authors
        patch_cfg=dict(padding=2),  # authors
        drop_path_rate=0.))  # authors

train_dataloader = dict(batch_size=256)  # authors; 64 in the older copy

optim_wrapper = dict(
    optimizer=dict(
        type='Adam',  # authors
        weight_decay=0.),  # authors
    clip_grad=None,  # authors
    paramwise_cfg=dict(layer_decay_rate=1.0))  # authors
