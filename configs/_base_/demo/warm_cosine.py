# A short warm-up, then down to 0, where the running statistics of BatchNorm
# come up with the weights; for trainings in epochs
warm_cosine = [
    dict(type='LinearLR', start_factor=0.01, begin=0, end=50, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=0,
        by_epoch=True,
        convert_to_iter_based=True),
]
