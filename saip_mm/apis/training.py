from contextlib import contextmanager
from typing import Iterator, Optional

from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.runner import Runner

from ..engine.config_doors import check_folder, check_training, expand_home
from ..engine.hooks.resume_schedule import ResumeScheduleHook
from ..engine.launch_options import (adapt_to_device, process_info,
                                     scale_learning_rate, tell, use_amp)
from ..engine.schedule import fit_schedule, planned_length, scale_schedule
from ..weights import find_resume_file
from .config import build_runner, load_config, read_config


def train(config: str,
          work_dir: Optional[str] = None,
          resume: Optional[str] = None,
          amp: bool = False,
          amp_dtype: Optional[str] = None,
          auto_scale_lr: bool = False,
          schedule: Optional[float] = None,
          cfg_options: Optional[dict] = None,
          launcher: str = 'none',
          resume_schedule: Optional[str] = None) -> Runner:
    """Train what a config describes.

    A run too short for the config's schedule gets one that fits, see
    :func:`~saip_mm.engine.schedule.fit_schedule`.

    Args:
        config (str): Config file, relative to the current folder.
        work_dir (str, optional): Folder for checkpoints and logs. Defaults
            to :func:`~.config.default_work_dir`.
        resume (str, optional): Checkpoint to go on from, a folder for its
            last one, or ``'auto'`` for the last one in the work dir.
            Defaults to None: from the start.
        amp (bool): Mixed precision; without a GPU see
            :func:`~saip_mm.engine.launch_options.adapt_amp_to_cpu`.
        amp_dtype (str, optional): ``'float16'`` or ``'bfloat16'``. Defaults
            to None: the device's default, float16 on CUDA. Without a GPU
            it is bfloat16 or float32.
        auto_scale_lr (bool): Scale the learning rate to the batch, see
            :func:`scale_learning_rate`.
        schedule (float, optional): Fraction of the training to do, see
            :func:`scale_schedule`. Defaults to None: all.
        cfg_options (dict, optional): Settings to override.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'``, ``'mpi'``.
        resume_schedule (str, optional): Of a resumed run, ``'kept'`` or
            ``'new'``, see :class:`ResumeScheduleHook`. Defaults to None.

    Returns:
        Runner: After training.

    Raises:
        FileNotFoundError: If there is no such config.
        OSError: If the work dir cannot be written to.
        CheckpointError: If the checkpoint to resume from is unusable, or is
            of another batch and ``resume_schedule`` is None.
        ValueError: If the config and a flag contradict each other, nothing
            can be trained with a setting, there are fewer images than one
            batch, or a batch is too small for the network's BatchNorm.
    """
    hook = ResumeScheduleHook(resume_schedule)
    cfg = read_config(config)
    planned = planned_length(cfg)
    load_config(cfg, cfg_options, work_dir, launcher, schedule)
    check_training(cfg)
    if schedule is not None:
        ratio = scale_schedule(cfg, schedule)
        planned = planned and planned._replace(length=planned.length * ratio)
    check_folder(cfg.work_dir, 'work dir')
    set_resume(cfg, resume)
    if amp or amp_dtype:
        use_amp(cfg, amp_dtype)
    adapt_to_device(cfg)
    if auto_scale_lr or (cfg.get('auto_scale_lr') or {}).get('enable'):
        scale_learning_rate(cfg, process_info(launcher)[0])
    runner = build_runner(cfg)
    check_batches(runner)
    fit_schedule(runner, planned)
    runner.register_hook(hook)
    with lone_pictures_explained():
        runner.train()
    return runner


@contextmanager
def lone_pictures_explained() -> Iterator[None]:
    """Say what to do where BatchNorm meets a batch of one pooled picture.

    Raises:
        ValueError: In place of torch's, which names the shape alone.
    """
    try:
        yield
    except ValueError as error:
        if 'Expected more than 1 value per channel' not in str(error):
            raise
        raise ValueError(
            'a batch of one picture has no statistics for BatchNorm after '
            'pooling: set train_dataloader.batch_size to 2 or more; where '
            'only the last batch of an epoch has one, also '
            f'train_dataloader.drop_last=True ({error})') from error


def set_resume(cfg: Config, resume: Optional[str]) -> None:
    """Point a config to the checkpoint to resume from.

    Args:
        cfg (Config): With its work dir; ``resume`` and ``load_from`` are
            changed. A config that says ``resume = True`` itself resumes from
            its ``load_from``, or else as ``'auto'``.
        resume (str, optional): As in :func:`train`.
    """
    if resume is None and cfg.get('resume'):
        resume = cfg.get('load_from') or 'auto'
    if resume is None:
        return
    path = find_resume_file(expand_home(resume), cfg.work_dir)
    cfg.resume = path is not None
    if path:
        cfg.load_from = path
    else:
        tell(f'WARNING: --resume, but {cfg.work_dir} has no last_checkpoint: '
             'starting from the beginning')


def check_batches(runner: Runner) -> None:
    """Refuse a data set too small for a single batch.

    The loader would be empty, and training over at once.

    Raises:
        ValueError: If an epoch of the training loader has no batch.
    """
    loader = runner.train_dataloader
    batches = loader.batch_sampler
    if len(loader) or isinstance(batches.sampler, InfiniteSampler):
        return
    images, ranks = len(loader.dataset), get_world_size()
    raise ValueError(
        f'{images} images over {ranks} processes are fewer than batch_size '
        f'{batches.batch_size}: not one batch is full, and incomplete ones '
        f'are left out. Set train_dataloader.batch_size to at most '
        f'{-(-images // ranks)}, or check the folders and lists of '
        'train_dataloader.dataset')
