# Part segmentation in epochs, with self-correction, resumed exactly
_base_ = './part_seg.py'

default_hooks = dict(
    logger=dict(log_metric_by_epoch=True),
    checkpoint=dict(by_epoch=True, interval=5))
custom_hooks = [
    dict(type='ClassCountHook'),
    dict(type='mmpretrain.IterationSeedHook'),
    dict(type='mmpretrain.ResumeEpochHook'),
    # at the ends of the rate's cycles, after 120, 130, 140 and 150 epochs; the
    # last average is the result
    dict(type='SelfCorrectionHook'),
]
log_processor = dict(by_epoch=True)

# sizes and mirrors: tools/test.py --tta
tta_model = dict(type='PartLogitTTA')
