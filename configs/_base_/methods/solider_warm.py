# SOLIDER's second way: ten epochs of it behind a training of DINO. Lengths of
# tokens tell person and background apart by then; of random weights they are
# noise. Student, expert and prototypes come from
#   --cfg-options load_from=work_dirs/dino/.../epoch_100.pth
# (in SOLIDER's own code the moving mean does not; it is forgotten in 20 steps)
_base_ = './solider_official.py'

optim_wrapper = dict(optimizer=dict(lr=7.5e-5))  # SOLIDER: 5e-5 per 256
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-6,  # DINO: from 0
        begin=0,
        end=1,  # SOLIDER
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,  # DINO
        begin=1,
        by_epoch=True,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingParamScheduler',
        param_name='weight_decay',
        eta_min_ratio=10,  # DINO: 0.04 -> 0.4
        by_epoch=True,
        convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=10)  # SOLIDER
default_hooks = dict(
    checkpoint=dict(interval=1),
    # the controllers and the classifier are new
    checkpoint_fit=dict(partial=True))
