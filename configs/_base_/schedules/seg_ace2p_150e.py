# A-CE2P with self-correction: AdamW, 150 epochs of 8 GPUs x 12 = 96. The rate
# changes with the epoch: 30 of warm-up, a cosine to the end of 120, then
# cycles of 10, at whose ends SelfCorrectionHook averages. A training of
# another length: tools/train.py --schedule.
optim_wrapper = dict(
    type='OptimWrapper',  # authors: float32, no clip
    optimizer=dict(
        type='AdamW',
        lr=7e-4,  # authors
        betas=(0.9, 0.999),  # authors
        weight_decay=0.))  # authors

lowest = 1 / 500  # authors; of the rate
param_scheduler = [
    dict(type='LinearLR', start_factor=lowest, begin=0, end=31),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=lowest,
        begin=30,  # authors; the warm-up's last epoch, which is at the rate
        end=120),  # authors
    dict(
        type='CosineRestartLR',
        periods=[10] * 12,  # authors; three of them, more in longer runs
        restart_weights=[0.5] * 12,  # authors; of the rate
        eta_min_ratio=lowest,
        begin=120),
]

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=150, val_interval=10)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

auto_scale_lr = dict(enable=False, base_batch_size=96)  # 8 GPUs x 12
