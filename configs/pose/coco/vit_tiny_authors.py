# As SAIP's authors fine-tune in their later code, with annotated boxes. Left
# out is their layer decay, which reached no block and held patch embedding and
# positions at 0.024 of the rate. Their file has the heads of SAIP*'s students;
# for these:
#   model.backbone.num_heads=6 model.backbone.last_block_heads=12
_base_ = './vit_tiny.py'

model = dict(
    backbone=dict(
        patch_cfg=dict(padding=2),  # authors
        drop_path_rate=0.))  # authors

train_dataloader = dict(batch_size=128)  # authors, 4 GPUs x 128 = 512
val_dataloader = dict(dataset=dict(bbox_file=None))  # authors
test_dataloader = val_dataloader

optim_wrapper = dict(
    paramwise_cfg=dict(
        layer_decay_rate=1.0,  # ours, see above
        no_decay=['pos_embed']))  # authors: and what has one axis

auto_scale_lr = dict(base_batch_size=512)  # authors
