# The rates with which IRRA was published, for a text tower that starts from
# CLIP's weights: ten times slower there than SAIP's authors have it, and the
# picture's half, which never saw text, at ten times that.
_base_ = './vit_tiny.py'

train_dataloader = dict(batch_size=8)  # reference; 8 GPUs x 8 = 64
optim_wrapper = dict(
    type='AmpOptimWrapper',  # reference: half precision; here of products
    optimizer=dict(lr=1e-5),  # reference
    paramwise_cfg=dict(rules=[
        dict(name='backbone', times=10),  # ours
        dict(name='neck', times=10),  # ours
        dict(name='cross', lr_mult=5),  # reference
        dict(name='bias', lr_mult=2, decay_mult=0),  # reference
        dict(name='classifier', lr_mult=5),  # reference
        dict(name='mlm_head', lr_mult=5),  # reference
    ]))
auto_scale_lr = dict(base_batch_size=64)  # 8 GPUs x 8
