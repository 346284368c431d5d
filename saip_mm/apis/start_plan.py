"""What a pretraining on somebody's folder begins with, and why.

Every number is one that was seen to work, or the paper's; which of them
depends on the number of pictures and on the machine. Where "docs" is said,
docs/results.md and docs/speed.md hold the measurements.
"""
import os
from typing import Any, NamedTuple, Optional, Tuple

import torch

from ..engine.launch_options import cpu_has_bfloat16, has_gpu

Size = Tuple[int, int]

BACKBONES = ('vit_tiny', 'starnet_s3', 'tinyvit_5m')
RECIPE_SIZE = (256, 128)  # paper 4.2
RECIPE_EPOCHS = 300  # paper 4.2
RECIPE_BATCH = 256  # paper 4.2, a GPU
PATCH = 16
# From so many steps on a training is a long one, which follows the recipe.
# What was measured here has 150 to 2500 steps, the recipe 188 100.
LONG = 20_000
# steps and pictures a step for which prototypes are taken
PROTOTYPE_STEPS, PROTOTYPE_BATCH = 100_000, 256
CPU_SIZE, CPU_BATCH, CPU_STEPS = (96, 48), 24, 2500
# GiB that one picture's views take in the step, at the recipe's size
GIB_A_PICTURE = 0.25
# a small folder is cut into at least so many steps an epoch
STEPS_AN_EPOCH = 20
# rate, momentum of the expert and scales with which each was measured to
# learn in minutes: those of configs/saip/demo*.py
SHORT = dict(
    vit_tiny=(5e-4, 0.99, (0.75, 1.5)),
    starnet_s3=(2e-3, 0.9, (0.6, 1.0)),
    tinyvit_5m=(5e-4, 0.99, (0.75, 1.5)))


class Machine(NamedTuple):
    """What a training has to run on.

    ``gpus`` in number, ``memory`` of the smallest in GiB, CPU ``cores`` of
    this process, and whether the CPU multiplies ``bfloat16`` fast.
    """
    gpus: int
    memory: float
    cores: int
    bfloat16: bool


class Choice(NamedTuple):
    """A setting and the reason for it, a sentence or two."""
    value: Any
    why: str


class Plan(NamedTuple):
    """The settings of one training, see :func:`make_plan`."""
    backbone: str
    images: int
    processes: int
    on_gpu: bool
    steps: int  # of the whole training
    size: Choice  # height, width
    batch_size: Choice  # pictures a process
    epochs: Choice
    matching: Choice  # 'batch', 'prototypes' or 'channels'
    precision: Choice  # 'float32' or 'mixed'
    workers: Choice  # a process
    rate: Choice
    momentum: Choice
    scales: Choice
    warm_up: Choice  # steps

    @property
    def is_long(self) -> bool:
        """Whether the recipe's schedule is followed."""
        return self.steps >= LONG


def this_machine() -> Machine:
    """Look at the machine this runs on."""
    gpus = torch.cuda.device_count() if has_gpu() else 0
    memory = min((torch.cuda.get_device_properties(i).total_memory / 2**30
                  for i in range(gpus)),
                 default=0.)
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on a Mac or Windows
        cores = os.cpu_count() or 1
    return Machine(gpus, memory, cores, cpu_has_bfloat16())


def make_plan(images: int,
              backbone: str,
              machine: Machine,
              processes: int = 1,
              epochs: Optional[int] = None,
              batch_size: Optional[int] = None,
              size: Optional[Size] = None,
              matching: Optional[str] = None,
              precision: Optional[str] = None,
              workers: Optional[int] = None) -> Plan:
    """Choose what was not asked for.

    Args:
        images (int): Pictures in the folder.
        backbone (str): One of ``BACKBONES``.
        machine (Machine): Of :func:`this_machine`.
        processes (int): One a GPU. Defaults to 1.
        epochs (int, optional): Times through the folder.
        batch_size (int, optional): Pictures a step and process.
        size (tuple[int, int], optional): Height and width of a person in
            pixels, multiples of 16.
        matching (str, optional): 'batch' or 'prototypes'; 'channels' with a
            frozen expert.
        precision (str, optional): 'float32' or 'mixed'.
        workers (int, optional): Loading processes of each process.

    Returns:
        Plan: Settings and reasons.

    Raises:
        ValueError: If something asked for is not possible, naming it.

    Example:
        >>> plan = make_plan(1094, 'vit_tiny', Machine(0, 0., 2, True))
        >>> plan.size.value, plan.batch_size.value, plan.epochs.value
        ((96, 48), 24, 56)
        >>> plan.matching.value, plan.steps
        ('batch', 2520)
    """
    check_choice('backbone', backbone, BACKBONES)
    on_gpu = machine.gpus > 0
    share = -(-images // processes)
    if share < 2:
        raise ValueError(
            f'{images} pictures for {processes} processes: matching tells a '
            'picture from others of its batch, so each process needs at '
            'least 2')
    size = choose_size(on_gpu, size)
    batch = choose_batch(share, on_gpu, machine.memory, size.value, batch_size)
    an_epoch = share // batch.value
    epochs = choose_epochs(an_epoch, on_gpu, epochs)
    steps = an_epoch * epochs.value
    matching = choose_matching(steps, batch.value * processes, matching)
    return Plan(
        backbone, images, processes, on_gpu, steps, size, batch, epochs,
        matching, choose_precision(on_gpu, machine.bfloat16, precision),
        choose_workers(on_gpu, machine.cores, processes, workers),
        choose_rate(backbone, steps, batch.value * processes, matching.value),
        choose_momentum(backbone, steps, matching.value),
        choose_scales(backbone, steps), choose_warm_up(steps, epochs.value))


def choose_size(on_gpu: bool, asked: Optional[Size] = None) -> Choice:
    """Height and width of a person in pixels."""
    if asked is not None:
        if len(asked) != 2 or any(
                not isinstance(side, int) or side < PATCH or side % PATCH
                for side in asked):
            raise ValueError(
                f'size {"x".join(map(str, asked))}: height and width must be '
                f'multiples of {PATCH} pixels, as 256x128 and 96x48 are')
        return Choice(tuple(asked), 'As asked for; the paper has 256x128.')
    if on_gpu:
        return Choice(RECIPE_SIZE, 'Paper 4.2.')
    return Choice(
        CPU_SIZE, 'No GPU here: at 96x48 an hour on two cores was measured '
        "to teach something (docs/results.md). The paper's 256x128 has seven "
        'times the pixels.')


def choose_batch(share: int,
                 on_gpu: bool,
                 memory: float,
                 size: Size,
                 asked: Optional[int] = None) -> Choice:
    """Pictures a step and process, of which ``share`` are to be had."""
    if asked is not None:
        check_count('batch size', asked)
        if asked > share:
            raise ValueError(
                f'batch size {asked}: there are only {share} pictures for '
                'each process, not one batch would be full; take at most '
                'that many')
        if asked < 2:
            raise ValueError('batch size 1: matching tells a picture from '
                             'others of its batch; take at least 2')
        return Choice(asked, 'As asked for.')
    if not on_gpu:
        wanted, why = CPU_BATCH, (
            'Many small steps: with 24 and 26 pictures a step all three '
            'backbones were measured to learn in minutes (docs/results.md).')
    else:
        pixels = size[0] * size[1] / (RECIPE_SIZE[0] * RECIPE_SIZE[1])
        room = int(0.85 * memory / (GIB_A_PICTURE * pixels))
        wanted = min(RECIPE_BATCH, max(room // 16 * 16, 8))
        why = ('Paper 4.2: 256 a GPU.' if wanted == RECIPE_BATCH else
               f'The paper has 256 a GPU; this fits {memory:.0f} GiB by the '
               'memory that a picture took on a CPU (docs/speed.md), which '
               'on GPUs has not been measured.')
    few = max(share // STEPS_AN_EPOCH, min(CPU_BATCH, share // 2), 2)
    if wanted > few:
        return Choice(
            few, f'Of {share} pictures a process so many, for more steps; '
            f'otherwise {wanted}.')
    return Choice(wanted, why)


def choose_epochs(an_epoch: int,
                  on_gpu: bool,
                  asked: Optional[int] = None) -> Choice:
    """Times through the folder, of ``an_epoch`` steps each."""
    if asked is not None:
        check_count('epochs', asked)
        return Choice(asked, f'As asked for, of {counted(an_epoch)} each.')
    if on_gpu:
        return Choice(RECIPE_EPOCHS, f'Paper 4.2; {counted(an_epoch)} each.')
    epochs = min(max(-(-CPU_STEPS // an_epoch), 1), RECIPE_EPOCHS)
    return Choice(
        epochs, f'Of {counted(an_epoch)} each, {epochs * an_epoch} in all. No '
        f'GPU here: {CPU_STEPS} take about an hour on two cores; what such a '
        'training gives is in docs/results.md. More is better.')


def choose_matching(steps: int,
                    batch: int,
                    asked: Optional[str] = None) -> Choice:
    """Whom the matching objective tells a person from."""
    if asked is not None:
        check_choice('matching', asked, ('batch', 'prototypes', 'channels'))
        if asked == 'channels':
            return Choice(
                asked, 'The expert is frozen: softmaxes over its own channels '
                'are learnt, which cannot collapse, at temperatures for '
                'channels of deviation 1 (ours).')
        conditions = (
            ' In short trainings prototypes were measured to learn only with '
            'StarNet-S3, at 64x32, at one scale and without the other two '
            'objectives (configs/saip/demo_prototypes.py).' *
            (asked == 'prototypes' and steps < LONG))
        return Choice(asked, f'As asked for.{conditions}')
    if steps >= PROTOTYPE_STEPS and batch >= PROTOTYPE_BATCH:
        return Choice(
            'prototypes', f"The recipe's 65 536 prototypes: {steps} steps of "
            f'{batch} are of its order (188 100 of 2048).')
    return Choice(
        'batch', 'Among the persons of the batch, which learns from the first '
        "step on. The recipe's prototypes want 100 000 steps of 256 or more: "
        'in short trainings they were measured to stall (docs/results.md); '
        f'here are {steps} of {batch}.')


def choose_precision(on_gpu: bool,
                     bfloat16: bool,
                     asked: Optional[str] = None) -> Choice:
    """Of the matrix products."""
    if asked is not None:
        check_choice('precision', asked, ('float32', 'mixed'))
        return Choice(asked, 'As asked for.')
    if on_gpu:
        return Choice('mixed', 'Paper 4.2.')
    if bfloat16:
        return Choice(
            'mixed', 'This CPU multiplies bfloat16 faster, and learns as '
            'much with it (docs/results.md). Without such a CPU or a GPU '
            'this becomes float32, with a line in the log.')
    return Choice('float32', 'This CPU has no instructions for bfloat16.')


def choose_workers(on_gpu: bool,
                   cores: int,
                   processes: int,
                   asked: Optional[int] = None) -> Choice:
    """Processes that read and cut pictures, for each training process."""
    if asked is not None:
        if not is_count(asked, 0):
            raise ValueError(f'workers {asked!r}: a whole number, 0 for none '
                             'beside the training process')
        return Choice(asked, 'As asked for.')
    share = max(cores // processes, 1)
    if on_gpu:
        return Choice(
            min(8, share), f'8 a GPU, where there are cores: here {cores} for '
            f'{processes}.')
    return Choice(
        1, 'One cuts hundreds of pictures a second (docs/speed.md), a CPU '
        'trains on tens: the other cores are for the model.')


def choose_rate(backbone: str, steps: int, batch: int,
                matching: str) -> Choice:
    """The learning rate after the warm-up."""
    if steps >= LONG:
        rate = float(f'{2.5e-4 * batch / 256:.3g}')
        return Choice(
            rate, f'Paper 4.2: 2.5e-4 for each 256 pictures of a step; here '
            f'they are {batch}.')
    if matching == 'prototypes':
        return Choice(1e-3, 'configs/saip/demo_prototypes.py')
    return Choice(
        SHORT[backbone][0], 'With this one it was measured to learn in few '
        "steps (docs/results.md); the recipe's, 2.5e-4 for 256 pictures, is "
        f'for {LONG} steps and more.')


def choose_momentum(backbone: str, steps: int, matching: str) -> Choice:
    """Weight of the expert's old value."""
    if steps >= LONG:
        return Choice(0.996, 'DINO.')
    if matching == 'prototypes':
        return Choice(0.99, 'At 0.9 prototypes collapse (docs/results.md).')
    if steps < 1000:
        return Choice(SHORT[backbone][1], 'Measured with few steps '
                      '(docs/results.md).')
    return Choice(
        0.99, "DINO's 0.996 is for a hundred times as many steps: in few an "
        'average with it stays near the random start.')


def choose_scales(backbone: str, steps: int) -> Choice:
    """Range of the other scales, relative to the anchor."""
    if steps >= LONG or backbone != 'starnet_s3':
        return Choice((0.75, 1.5), 'Paper 3.2.')
    return Choice(
        SHORT[backbone][2], "Nearer than the paper's 0.75 to 1.5: "
        'they agree after fewer steps.')


def choose_warm_up(steps: int, epochs: int) -> Choice:
    """Steps in which the rate rises; 0 for none."""
    if steps < 20:  # of a single step it would be one at a rate of 0
        return Choice(0, f'None: {counted(steps)} leave it no room.')
    if steps >= LONG:
        share = steps // 30
        return Choice(share, 'Paper 4.2: 10 of 300 epochs.')
    return Choice(steps // 10, 'A tenth of the training, as in the demos.')


def counted(steps: int) -> str:
    """A number of steps in words."""
    return f'{steps} step{"s" * (steps != 1)}'


def check_choice(name: str, value: Any, known: Tuple[str, ...]) -> None:
    """Refuse what is none of some names.

    Raises:
        ValueError: Naming them.
    """
    if value not in known:
        raise ValueError(f'unknown {name} {value!r}: it is one of '
                         f'{", ".join(known)}')


def check_count(name: str, value: Any) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        ValueError: Naming it.
    """
    if not is_count(value, 1):
        raise ValueError(f'{name} {value!r}: it must be a whole number of at '
                         'least 1')


def is_count(value: Any, least: int) -> bool:
    """Whether something is a whole number of at least so much."""
    return (isinstance(value, int) and not isinstance(value, bool)
            and value >= least)
