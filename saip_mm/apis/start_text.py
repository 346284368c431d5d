"""A plan as a config file that its owner can read and change."""
import textwrap
from typing import Any, Optional

from ..engine.shipped_configs import PREFIX
from ..version import __version__
from .start_plan import RECIPE_SIZE, Choice, Plan

COPY = 'init.pth'  # of weights in another project's names, beside the config
HEADER = '''\
# Pretraining of {backbone} on {images} pictures; written by saip-mm \
{version}, from
# then on yours: change what you like. Start it by
#   saip-mm pretrain --config {name}
# with --resume to go on where it stopped. What is not named here is the
# paper's recipe, which it inherits; run/{name} holds every setting of the
# last start.
_base_ = '{prefix}saip/{backbone}.py'

# checkpoints and logs, beside this file
work_dir = "{{{{ fileDirname }}}}/run"
randomness = dict(seed={seed})
'''
ORIGIN = '''
# of another project: {copy}, beside this file, has it in this one's names
init = {place!r}
'''
SIZE = '''
{why}
size = {size}  # height, width
canvas = {canvas}  # of several persons: as high as one, twice as wide
'''
MODEL = '''
model = dict(
    data_preprocessor=dict(
        canvas=dict(size=canvas),{blur}
{why_scales}
        scale_range={scales}),{encoder}{expert}
    heads=dict({heads}))
'''
ENCODER = '''
    encoder=dict(
        backbone=dict({settings})),'''
BLUR = '''
        # a blur of the recipe's 2 pixels leaves little of so few
        sigma=(0.1, {sigma:g}),
        solarize=dict(scale=0.),'''
IN_BATCH = '''
        csm=dict(
            _delete_=True,
            type='InstanceMatchingHead','''
FEW_PROTOTYPES = '''
        csm=dict(
            decoder=dict(
                hidden_dims=512,
                bottleneck_dims=128,
                # about twenty for each picture of a batch
                num_prototypes={number})),'''
EXPERT = '''
    # SAIP*: this model gives the targets and learns nothing
    expert=dict(_delete_=True, {settings}),'''
CHANNELS = '''
        csm=dict(
            _delete_=True,
            type='CrossScaleMatchingHead','''
WIDE_CHANNELS = '''
            decoder=dict(type='AlignmentDecoder')),'''
NARROW_CHANNELS = '''
            decoder=dict(
                type='AlignmentDecoder',
                hidden_dims=512,
                bottleneck_dims=128)),'''
WIDE = '''
            decoder=dict(type='InstanceDecoder')),'''
NARROW = '''
            decoder=dict(
                type='InstanceDecoder', hidden_dims=512, bottleneck_dims=128)),
'''
SMALL_DECODERS = '''
        # half as wide as on a GPU, for the clock
        csr=dict(decoder=dict(dims=128, num_heads=4)),
        css=dict(decoder=dict(dims=128, num_heads=4))'''
DATA = '''
train_pipeline = [
    # larger photographs are decoded at a half, a quarter or an eighth
    dict(_base_.train_pipeline[0], min_size={decoded}),
    dict(
        _base_.train_pipeline[1],
        size=size,{aspect}
{why_views}
        num_scales={num_scales},
        num_locals={num_locals},
        local_size={local_size},
        background_size=canvas),
]
train_dataloader = dict(
{why_batch}
    batch_size={batch_size},  # a process
{why_workers}
    num_workers={workers},
    pin_memory={pin_memory},
    dataset=dict(
        pipeline=train_pipeline,
        # pictures; more folders may follow
        sources=[dict(data_root={folder!r})]))
'''
SCHEDULE = '''
{why_epochs}
train_cfg = dict(max_epochs={epochs})
optim_wrapper = dict(
{why_precision}
    type={wrapper!r},
{why_rate}
    optimizer=dict(lr={rate:g}))
'''
WARM_UP = '''
{why}
param_scheduler = [
    dict(_base_.param_scheduler[0], end={end}),  # epochs
    dict(_base_.param_scheduler[1], begin={end}),
    _base_.param_scheduler[2],
]
'''
STEPS_RISE = '''
    dict(type='LinearLR', start_factor=1e-3, end={end}, by_epoch=False),'''
STEPS = '''
{why}
param_scheduler = [{rise}
    {cosine}{decay}
]
'''
COSINE = ("dict(type='CosineAnnealingLR', eta_min=1e-6, begin={end}, "
          'by_epoch=False),')
HOOKS = '''
custom_hooks = [{follow}]
default_hooks = dict(
    logger=dict(interval={log}),  # steps
    checkpoint=dict(interval={save}),  # epochs; the last {kept} are kept
    # steps before it looks for a collapse, of which fresh weights look like
    collapse=dict(begin={begin}, interval={look}))
'''
FOLLOW = '''
{why_momentum}
    dict(type='ExpertUpdateHook', base_momentum={momentum:g}),{prototypes}
'''
PROTOTYPE_HOOKS = '''
    dict(type='ExpertTemperatureHook', start=0.04, end=0.07, epochs={ramp}),
    dict(type='FreezePrototypesHook', epochs=1),'''
FREEZE_ALONE = '''
    dict(type='FreezePrototypesHook', epochs=1),'''


def config_text(plan: Plan,
                folder: str,
                name: str = 'pretrain.py',
                seed: int = 0,
                start: Optional[dict] = None,
                origin: Optional[str] = None,
                expert: Optional[dict] = None) -> str:
    """The text of a config: settings of a plan, each with its reason.

    Args:
        plan (Plan): Of :func:`.start_plan.make_plan`.
        folder (str): The pictures, an absolute path.
        name (str): Of the file. Defaults to 'pretrain.py'.
        seed (int): Of everything that is drawn. Defaults to 0.
        start (dict, optional): Settings of the backbone with which it starts
            from a file, ``init_cfg`` among them. Defaults to None: random.
        origin (str, optional): Where that file comes from, if it is a copy.
        expert (dict, optional): A frozen one's settings, for a plan that
            matches by 'channels'. Defaults to None: an average.

    Returns:
        str: Inherits the shipped recipe of the backbone.
    """
    parts = [
        HEADER.format(
            backbone=plan.backbone,
            images=plan.images,
            version=__version__,
            name=name,
            prefix=PREFIX,
            seed=seed),
        ORIGIN.format(place=origin, copy=COPY) if origin else '',
        SIZE.format(
            why=remark(plan.size), size=plan.size.value, canvas=canvas(plan)),
        _model(plan, start, expert),
        _data(plan, folder),
        SCHEDULE.format(
            why_epochs=remark(plan.epochs),
            epochs=plan.epochs.value,
            why_precision=remark(plan.precision, 4),
            wrapper='TensorClipAmpOptimWrapper'
            if plan.precision.value == 'mixed' else 'TensorClipOptimWrapper',
            why_rate=remark(plan.rate, 4),
            rate=plan.rate.value),
        _schedule(plan),
        _hooks(plan)
    ]
    return ''.join(parts)


def remark(choice: Choice, indent: int = 0) -> str:
    """Its reason as a comment of whole lines."""
    start = f'{" " * indent}# '
    return textwrap.fill(
        choice.why,
        width=79,
        initial_indent=start,
        subsequent_indent=start,
        break_long_words=False,
        break_on_hyphens=False)


def canvas(plan: Plan) -> tuple:
    """Height and width of the picture of several persons."""
    height, width = plan.size.value
    return height, 2 * width


def _model(plan: Plan, start: Optional[dict], expert: Optional[dict]) -> str:
    height = plan.size.value[0]
    heads = '\n' + remark(plan.matching, 8)
    if plan.matching.value == 'channels':
        heads += CHANNELS + (WIDE_CHANNELS if plan.on_gpu else NARROW_CHANNELS)
    elif plan.matching.value == 'batch':
        heads += IN_BATCH + (WIDE if plan.on_gpu else NARROW.rstrip())
    elif not plan.is_long:
        number = max(20 * plan.batch_size.value * plan.processes // 64, 1) * 64
        heads += FEW_PROTOTYPES.format(number=number)
    if not plan.on_gpu:
        heads += SMALL_DECODERS
    return MODEL.format(
        blur=BLUR.format(sigma=round(0.6 * height / 96, 2)) *
        (height < RECIPE_SIZE[0]),
        why_scales=remark(plan.scales, 8),
        scales=plan.scales.value,
        encoder=_encoder(plan, start),
        expert=_expert(expert),
        # without a head the comment would swallow the bracket
        heads=heads.rstrip(',') if heads[-1] in ',)' else heads + '\n    ')


def _encoder(plan: Plan, start: Optional[dict]) -> str:
    """What is set of the backbone, a line each."""
    lines, start = [], dict(start or {})
    if plan.backbone == 'vit_tiny':
        lines.append('img_size=size,')
        if 'init_cfg' not in start and not plan.is_long:
            lines += [
                '# few steps do not learn to tell places apart',
                "init='mmpretrain',", "positions='sincos',"
            ]
    elif (plan.backbone == 'tinyvit_5m' and 'init_cfg' not in start
          and plan.size.value[0] < RECIPE_SIZE[0]):
        lines += [
            '# at such sizes most of a window of the last stages is padding',
            'mask_padding=True,'
        ]
    lines += [f'{key}={literal(value)},' for key, value in start.items()]
    if not lines:
        return ''
    indent = '\n' + ' ' * 12
    settings = indent + indent.join(lines)
    return ENCODER.format(settings=settings.rstrip(','))


def _expert(expert: Optional[dict]) -> str:
    """A frozen expert's settings, a line each."""
    if expert is None:
        return ''
    between = ',\n' + ' ' * 16
    return EXPERT.format(
        settings=between.join(f'{k}={literal(v)}' for k, v in expert.items()))


def literal(value: Any) -> str:
    """A setting as configs write it."""
    if isinstance(value, dict):
        inside = ', '.join(f'{k}={literal(v)}' for k, v in value.items())
        return f'dict({inside})'
    return repr(value)


def _data(plan: Plan, folder: str) -> str:
    height, width = plan.size.value
    ratio = width / height
    aspect = '' if ratio == 0.5 else (
        '\n        # width / height of what is cut: a fifth beside that of '
        f'size\n        aspect=({0.8 * ratio:.3g}, {1.2 * ratio:.3g}),')
    views = Choice(
        (2, 6), 'The recipe: two other scales, six local crops.'
    ) if plan.on_gpu else Choice(
        (1, 0), 'One other scale and no local crops, for a third of the '
        "recipe's arithmetic; measured so (docs/results.md).")
    return DATA.format(
        decoded=(2 * height, 2 * width),
        aspect=aspect,
        why_views=remark(views, 8),
        num_scales=views.value[0],
        num_locals=views.value[1],
        local_size=tuple(max(side // 32, 1) * 16 for side in (height, width)),
        why_batch=remark(plan.batch_size, 4),
        batch_size=plan.batch_size.value,
        why_workers=remark(plan.workers, 4),
        workers=plan.workers.value,
        pin_memory=plan.on_gpu,
        folder=folder)


def _schedule(plan: Plan) -> str:
    epochs = plan.epochs.value
    if plan.is_long and epochs >= 30:  # as the recipe counts
        end = round(epochs / 30)
        if end == 10:
            return ''
        return WARM_UP.format(why=remark(plan.warm_up), end=end)
    end = plan.warm_up.value
    return STEPS.format(
        why=remark(
            Choice(
                end, f'Steps of the warm-up. {plan.warm_up.why} Then '
                'down to nearly 0.')),
        cosine=COSINE.format(end=end),
        rise=STEPS_RISE.format(end=end) if end else '',
        decay='\n    _base_.param_scheduler[2],' if plan.is_long else '')


def _hooks(plan: Plan) -> str:
    prototypes = ''
    if plan.matching.value == 'prototypes':
        prototypes = PROTOTYPE_HOOKS.format(
            ramp=max(plan.epochs.value //
                     10, 1)) if plan.is_long else FREEZE_ALONE
    begin = min(max(plan.steps // 5, 1), 1000)
    follow = ''
    if plan.matching.value != 'channels':
        follow = FOLLOW.format(
            why_momentum=remark(plan.momentum, 4),
            momentum=plan.momentum.value,
            prototypes=prototypes)
    return HOOKS.format(
        follow=follow,
        log=50 if plan.is_long else 10,
        save=min(max(plan.epochs.value // 10, 1), 10),
        kept=3,
        begin=begin,
        look=50 if plan.is_long else 10)
