import os
import os.path as osp
from typing import Optional

from mmengine.config import Config
from mmengine.dataset import InfiniteSampler
from mmengine.dist import get_world_size
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from torch import distributed

from ..weights import check_checkpoint, find_resume_file
from .config_doors import (check_counts, check_folder, check_training,
                           complete_config, expand_home, warn_of_new_keys)
from .dump_results import AtomicDumpResults, check_out_file
from .hooks.resume_schedule import ResumeScheduleHook
from .launch_options import (adapt_to_device, has_gpu, process_info,
                             scale_learning_rate, tell, use_amp, use_tta)
from .schedule import fit_schedule, planned_length, scale_schedule


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
    :func:`~.schedule.fit_schedule`.

    Args:
        config (str): Config file, relative to the current folder.
        work_dir (str, optional): Folder for checkpoints and logs. Defaults
            to :func:`default_work_dir`.
        resume (str, optional): Checkpoint to go on from, a folder for its
            last one, or ``'auto'`` for the last one in the work dir.
            Defaults to None: from the start.
        amp (bool): Mixed precision; without a GPU see
            :func:`~.launch_options.adapt_amp_to_cpu`.
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
            can be trained with a setting, or there are fewer images than one
            batch.
    """
    hook = ResumeScheduleHook(resume_schedule)
    cfg = read_config(config)
    planned = planned_length(cfg)
    override(cfg, config, work_dir, cfg_options, launcher, schedule)
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
    runner.train()
    return runner


def evaluate(config: str,
             checkpoint: str,
             work_dir: Optional[str] = None,
             out: Optional[str] = None,
             amp: bool = False,
             tta: bool = False,
             cfg_options: Optional[dict] = None,
             launcher: str = 'none') -> dict:
    """Evaluate a checkpoint with a config's ``test_dataloader``.

    Args:
        config (str): Config file, relative to the current folder.
        checkpoint (str): Weights.
        work_dir (str, optional): As in :func:`train`.
        out (str, optional): Pickle file to write all predictions to.
        amp (bool): Mixed precision; single precision where there is no GPU.
        tta (bool): Average over the versions of each image that the
            config's ``tta_pipeline`` makes.
        cfg_options (dict, optional): Settings to override.
        launcher (str): As in :func:`train`.

    Returns:
        dict: Metrics by name.

    Raises:
        CheckpointError: If the checkpoint is unusable.
        OSError: If ``out`` or the work dir cannot be written to.
        ValueError: If the config has nothing to test, or no ``tta_model``
            although ``tta`` is set, or ``out`` does not end with ``.pkl``.
    """
    cfg = load_config(config, work_dir, cfg_options, launcher)
    if cfg.get('test_dataloader') is None:
        raise ValueError(
            f'{config} has no test_dataloader: pretraining is watched by its '
            'monitors (k-NN, collapse) while it runs; test the configs of a '
            'task, such as configs/pose')
    check_counts(cfg)
    if out:
        check_out_file(out)
    check_folder(cfg.work_dir, 'work dir')
    checkpoint = expand_home(checkpoint)
    check_checkpoint(checkpoint)
    cfg.load_from, cfg.resume = checkpoint, False
    if tta:
        use_tta(cfg)
    adapt_to_device(cfg)
    if amp and has_gpu():
        cfg.test_cfg = dict(cfg.get('test_cfg') or {}, fp16=True)
    elif amp:
        tell('WARNING: --amp needs a GPU, testing in float32')
    runner = build_runner(cfg)
    if out:
        runner.test_evaluator.metrics.append(AtomicDumpResults(out))
    return runner.test()


def load_config(config: str,
                work_dir: Optional[str] = None,
                cfg_options: Optional[dict] = None,
                launcher: str = 'none',
                schedule: Optional[float] = None) -> Config:
    """Read a config, override settings, name its work dir.

    The work dir is the argument, else the config's, else
    :func:`default_work_dir`. Arguments: as in :func:`train`.
    """
    cfg = read_config(config)
    override(cfg, config, work_dir, cfg_options, launcher, schedule)
    return cfg


def read_config(config: str) -> Config:
    """Read a config as its file has it; ``~`` is the home folder.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    config = expand_home(config)
    if not osp.isfile(config):
        raise FileNotFoundError(
            f'no config {config} in {os.getcwd()}; those of an installed '
            'saip_mm lie in the folder saip_mm/.mim/configs')
    return Config.fromfile(config)


def override(cfg: Config,
             config: str,
             work_dir: Optional[str] = None,
             cfg_options: Optional[dict] = None,
             launcher: str = 'none',
             schedule: Optional[float] = None) -> None:
    """Override settings of a config and complete what depends on them.

    Args:
        cfg (Config): Changed.
        config (str): Its file.
        work_dir, cfg_options, launcher, schedule: As in :func:`train`.

    Raises:
        ValueError: If an option leads nowhere, or a loop lacks a part.
    """
    if cfg_options:
        warn_of_new_keys(cfg, cfg_options)
        cfg.merge_from_dict(cfg_options)
    complete_config(cfg)
    cfg.launcher = launcher
    cfg.work_dir = expand_home(work_dir) or cfg.get(
        'work_dir') or default_work_dir(config, schedule)


def default_work_dir(config: str, schedule: Optional[float] = None) -> str:
    """Folder of a run: ``work_dirs`` and the config's place in ``configs``.

    Config names are short here, so the name alone would mix up tasks. A
    shortened training has a folder of its own: its checkpoints and its
    learning rates are not those of the whole.

    Example:
        >>> default_work_dir('../saip/configs/pose/coco/vit_tiny.py')
        'work_dirs/pose/coco/vit_tiny'
        >>> default_work_dir('mine.py')
        'work_dirs/mine'
        >>> default_work_dir('mine.py', schedule=0.25)
        'work_dirs/mine_x0.25'
    """
    suffix = '' if schedule is None else f'_x{schedule:g}'
    parts = osp.splitext(config)[0].replace(os.sep, '/').split('/')
    if 'configs' in parts[:-1]:
        last = len(parts) - 1 - parts[::-1].index('configs')
        return '/'.join(['work_dirs', *parts[last + 1:]]) + suffix
    return f'work_dirs/{parts[-1]}{suffix}'


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


def build_runner(cfg: Config) -> Runner:
    """Build the runner; on CPU, the processes' group before it.

    mmengine would ask CUDA for a device while it makes the group.
    """
    if (cfg.launcher == 'pytorch' and not has_gpu()
            and not distributed.is_initialized()):
        distributed.init_process_group('gloo')
    if 'runner_type' in cfg:
        return RUNNERS.build(cfg)
    return Runner.from_cfg(cfg)
