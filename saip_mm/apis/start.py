"""From a folder of pictures to a trained backbone, in one call."""
import os.path as osp
import socket
import subprocess
import sys
from glob import escape, glob
from typing import List, Optional

import torch

from ..engine.config_doors import expand_home
from ..engine.launch_options import has_gpu, tell
from .config import default_work_dir, read_config
from .start_config import NAME, check_same, default_out, write_config
from .start_plan import check_count
from .training import train

HERE = '127.0.0.1'


def pretrain(folder: Optional[str] = None,
             out: Optional[str] = None,
             config: Optional[str] = None,
             gpus: int = 1,
             resume: bool = False,
             resume_schedule: Optional[str] = None,
             write_only: bool = False,
             **settings) -> str:
    """Pretrain a backbone on a folder of pictures of persons.

    A small config is written to ``out`` first, with a reason beside each
    setting; it inherits the shipped recipe, and is trained. Checkpoints and
    logs go to ``out/run``. The config can be changed and started again.

    Args:
        folder (str, optional): The pictures. Not with ``config``.
        out (str, optional): A new or empty folder. Defaults to
            ``work_dirs/<folder>_<backbone>``.
        config (str, optional): A config to start as it is, one that was
            written here or any other.
        gpus (int): Processes, one a GPU, by torchrun; on a machine without
            GPUs, on its CPU. Defaults to 1.
        resume (bool): Go on from the last checkpoint, by the config that lies
            there. Defaults to False.
        resume_schedule (str, optional): As in :func:`.training.train`.
        write_only (bool): Write the config and stop. Defaults to False.
        **settings: ``backbone``, ``epochs``, ``batch_size``, ``size``,
            ``init``, ``init_which``, ``expert``, ``matching``, ``precision``,
            ``workers`` and ``seed`` of :func:`.start_config.write_config`.

    Returns:
        str: The last checkpoint; with ``write_only`` the config.

    Raises:
        CheckpointError: If the checkpoint to resume from is unusable.
        FileNotFoundError: If folder, config or weights are not there.
        OSError: If ``out`` cannot be written to.
        ValueError: If a setting is impossible, the folder holds too little,
            ``out`` is in use, or several processes ended with an error.

    Example:
        >>> pretrain('data/persons', backbone='starnet_s3',
        ...          epochs=50)  # doctest: +SKIP
        'work_dirs/persons_starnet_s3/run/epoch_50.pth'
    """
    check_gpus(gpus)
    settings = {k: v for k, v in settings.items() if v is not None}
    if config is None:
        config = own_config(folder, out, gpus, resume, settings)
    else:
        given = [
            *settings, *(['folder'] if folder else []),
            *(['out'] if out else [])
        ]
        if given:
            raise ValueError(f'{", ".join(given)} beside a config: it is '
                             'started as it is, change it in the file')
    if write_only:
        return config
    work_dir = start_config(config, gpus, resume, resume_schedule)
    return last_checkpoint(work_dir)


def last_checkpoint(work_dir: str) -> str:
    """The file that a run's ``last_checkpoint`` names; without, its folder."""
    pointer = osp.join(work_dir, 'last_checkpoint')
    if not osp.isfile(pointer):  # a config may save none
        return work_dir
    with open(pointer, encoding='utf-8') as file:
        return file.read().strip()


def own_config(folder: Optional[str], out: Optional[str], gpus: int,
               resume: bool, settings: dict) -> str:
    """The config of a folder: written, or found to go on with.

    Args:
        folder (str, optional): The pictures; not needed to resume.
        out (str, optional): As in :func:`pretrain`.
        gpus (int): Processes.
        resume (bool): Whether to go on with what lies in ``out``.
        settings (dict): Those of :func:`pretrain` that were given.

    Returns:
        str: Its path.
    """
    if folder is None and not (resume and out):
        raise ValueError('name a folder of pictures, or a config by --config')
    backbone = settings.get('backbone', 'vit_tiny')
    out = expand_home(out) or default_out(folder, backbone)
    path = osp.join(out, NAME)
    if resume and osp.isfile(path):
        check_same(path, dict(settings, folder=folder))
        return path
    if folder is None:
        raise FileNotFoundError(f'--resume: there is no {path}')
    if resume:
        tell(f'WARNING: --resume, but there is no {path}: starting from the '
             'beginning')
    return write_config(folder, out, processes=gpus, **settings)


def start_config(config: str,
                 gpus: int = 1,
                 resume: bool = False,
                 resume_schedule: Optional[str] = None,
                 launcher: str = 'none') -> str:
    """Train by a config, in one process or several.

    Args:
        config (str): Its file.
        gpus (int): Processes. Defaults to 1.
        resume (bool): Whether to go on from the last checkpoint. Defaults to
            False.
        resume_schedule (str, optional): As in :func:`.training.train`.
        launcher (str): 'pytorch' in a process that torchrun started. Defaults
            to 'none'.

    Returns:
        str: The work dir.

    Raises:
        ValueError: If the work dir holds checkpoints that a start from the
            beginning would write over, or a process ended with an error.
    """
    cfg = read_config(config)
    work_dir = cfg.get('work_dir') or default_work_dir(cfg.filename)
    if launcher == 'none' and not resume:
        check_unused(expand_home(work_dir))
    if gpus > 1:
        run_processes(config, gpus, resume, resume_schedule)
    else:
        train(
            config,
            work_dir=work_dir,
            resume='auto' if resume else None,
            launcher=launcher,
            resume_schedule=resume_schedule)
    return expand_home(work_dir)


def check_gpus(gpus: int) -> None:
    """Refuse more processes than this machine has GPUs, if it has any.

    Raises:
        ValueError: Naming both numbers.
    """
    check_count('gpus', gpus)
    if has_gpu() and gpus > torch.cuda.device_count():
        raise ValueError(f'gpus {gpus}: this machine has '
                         f'{torch.cuda.device_count()}')


def check_unused(work_dir: str) -> None:
    """Refuse a work dir with checkpoints.

    Raises:
        ValueError: Naming one.
    """
    found = sorted(glob(osp.join(escape(work_dir), '*.pth')))
    if found:
        raise ValueError(
            f'{found[-1]} is there already and would be written over: go on '
            'from the last checkpoint by --resume, or take another work_dir '
            '(another --out)')


def run_processes(config: str, count: int, resume: bool,
                  resume_schedule: Optional[str]) -> None:
    """Start a config by torchrun.

    Raises:
        ValueError: If it ended with an error, which stands in its output.
    """
    if not has_gpu():
        tell(f'no GPU here: {count} processes share the CPU')
    done = subprocess.run(
        processes_command(config, count, resume, resume_schedule))
    if done.returncode:
        raise ValueError(f'training in {count} processes ended with code '
                         f'{done.returncode}: the reason stands above')


def processes_command(config: str, count: int, resume: bool,
                      resume_schedule: Optional[str]) -> List[str]:
    """The command line of torchrun, on a free port of this machine."""
    with socket.socket() as found:
        found.bind((HERE, 0))
        port = found.getsockname()[1]
    command = [
        sys.executable, '-m', 'torch.distributed.run', '--nnodes=1',
        f'--nproc_per_node={count}', f'--master_addr={HERE}',
        f'--master_port={port}', '--module', 'saip_mm', 'pretrain', '--config',
        config, '--launcher', 'pytorch'
    ]
    command += ['--resume'] * resume
    if resume_schedule:
        command += ['--resume-schedule', resume_schedule]
    return command
