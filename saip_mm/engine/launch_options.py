import os
from typing import Optional, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.device import get_device

# optimiser wrapper in single precision: the same in mixed precision
MIXED_PRECISION = dict(
    OptimWrapper='AmpOptimWrapper',
    TensorClipOptimWrapper='TensorClipAmpOptimWrapper')
# mixed precision on an accelerator: the same on a CPU
CPU_MIXED_PRECISION = dict(
    TensorClipAmpOptimWrapper='TensorClipCpuAmpOptimWrapper')
AMP_ONLY = ('dtype', 'loss_scale', 'use_fsdp')
SYNC_BN = ('SyncBN', 'MMSyncBN')
# launcher: variables that hold the number of processes and one's rank
PROCESS_VARIABLES = dict(
    pytorch=('WORLD_SIZE', 'RANK'),
    slurm=('SLURM_NTASKS', 'SLURM_PROCID'),
    mpi=('OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_RANK'))


def use_amp(cfg: Config, dtype: Optional[str] = None) -> None:
    """Switch the optimiser wrapper to its mixed-precision twin.

    Args:
        cfg (Config): ``optim_wrapper`` is changed.
        dtype (str, optional): As ``amp_dtype`` of :func:`train`.

    Raises:
        ValueError: If the wrapper has no twin.
    """
    wrapper = cfg.optim_wrapper
    scope, name = split_scope(wrapper.get('type', 'OptimWrapper'))
    if name not in MIXED_PRECISION.values():
        if name not in MIXED_PRECISION:
            raise ValueError(
                f'--amp does not know optim_wrapper.type={name!r}; known: '
                f'{", ".join(MIXED_PRECISION)}. Set the type in the config')
        wrapper.type = scope + MIXED_PRECISION[name]
    if dtype:
        wrapper.dtype = dtype


def use_tta(cfg: Config) -> None:
    """Test on several versions of each image: ``tta_model``, ``tta_pipeline``.

    Args:
        cfg (Config): ``model`` is wrapped, the test pipeline replaced.

    Raises:
        ValueError: If the config lacks one of the two.
    """
    for key in ('tta_model', 'tta_pipeline'):
        if key not in cfg:
            raise ValueError(f'--tta needs a {key} in the config')
    cfg.model = dict(cfg.tta_model, module=cfg.model)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline


def adapt_to_device(cfg: Config) -> None:
    """Make a config run where there is no GPU; with one nothing changes.

    Mixed precision becomes that of the CPU, or float32; synchronised
    BatchNorm becomes the plain one; several processes talk through gloo.

    Args:
        cfg (Config): Changed.

    Raises:
        ValueError: If SLURM or MPI launches processes without GPUs.
    """
    if has_gpu():
        return
    adapt_amp_to_cpu(cfg)
    drop_sync_bn(cfg)
    if cfg.launcher == 'none':
        return
    if cfg.launcher != 'pytorch':
        raise ValueError(f'--launcher {cfg.launcher} needs GPUs; without, use '
                         'tools/dist_train.sh (--launcher pytorch)')
    cfg.setdefault('env_cfg', {})
    cfg.env_cfg.dist_cfg = dict(backend='gloo')
    # mmengine hands a GPU's number to DDP unless it is told not to
    wrapper = cfg.get('model_wrapper_cfg') or dict(
        type='MMDistributedDataParallel',
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))
    cfg.model_wrapper_cfg = dict(wrapper, device_ids=None)


def adapt_amp_to_cpu(cfg: Config) -> None:
    """Mixed precision without a GPU, and a note on what became of it.

    Pretraining, whose wrapper has a twin for CPUs, multiplies matrices in
    bfloat16 where the CPU has instructions for it. All else is float32.

    Args:
        cfg (Config): ``optim_wrapper`` is changed if it is for mixed
            precision on an accelerator.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    scope, name = split_scope(wrapper.get('type', 'OptimWrapper'))
    singles = {mixed: single for single, mixed in MIXED_PRECISION.items()}
    if name not in singles:
        return
    for key in AMP_ONLY:
        wrapper.pop(key, None)
    if name in CPU_MIXED_PRECISION and cpu_has_bfloat16():
        wrapper.type = scope + CPU_MIXED_PRECISION[name]
        # oneDNN keeps the code it writes for each new shape, and each draw of
        # the scales brings new ones: 1024 of them take 300 MiB
        os.environ.setdefault('ONEDNN_PRIMITIVE_CACHE_CAPACITY', '32')
        tell('mixed precision without a GPU: bfloat16')
    else:
        wrapper.type = scope + singles[name]
        tell('WARNING: mixed precision needs a GPU'
             f'{" or a CPU with bfloat16" * (name in CPU_MIXED_PRECISION)}, '
             'training in float32')


def cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 faster than float32 (AVX-512 BF16
    or AMX instructions, as far as torch can tell)."""
    checks = ('_is_avx512_bf16_supported', '_is_amx_tile_supported')
    return any(getattr(torch.cpu, check, bool)() for check in checks)


def drop_sync_bn(cfg: Config) -> None:
    """Replace SyncBatchNorm, which exists for GPUs only, with a note."""

    def replace(node: Union[dict, list, tuple]) -> int:
        is_dict = isinstance(node, dict)
        found = int(is_dict and node.get('type') in SYNC_BN)
        if found:
            node['type'] = 'BN'
        for child in node.values() if is_dict else node:
            if isinstance(child, (dict, list, tuple)):
                found += replace(child)
        return found

    dropped = cfg.pop('sync_bn', None) is not None
    if replace(cfg.get('model') or {}) or dropped:
        tell('SyncBatchNorm needs GPUs: each process normalises by its own '
             'batch')


def scale_learning_rate(cfg: Config,
                        num_processes: int) -> Tuple[float, float]:
    """Scale the learning rate linearly to the effective batch.

    ``lr * (per process * processes * accumulation) / base_batch_size``.
    mmengine's own scaling leaves accumulation out, so it is switched off.
    Absolute numbers in schedules, such as ``eta_min``, stay.

    Args:
        cfg (Config): ``optim_wrapper.optimizer.lr`` is changed;
            ``auto_scale_lr.base_batch_size`` is the batch it was meant for.
        num_processes (int): One a GPU.

    Returns:
        tuple[float, float]: Learning rate before and after.

    Raises:
        ValueError: If the config does not say what the rate was meant for.
    """
    base = (cfg.get('auto_scale_lr') or {}).get('base_batch_size')
    optimizer = cfg.optim_wrapper.get('optimizer', {})
    if not base or 'lr' not in optimizer:
        raise ValueError('--auto-scale-lr needs auto_scale_lr.base_batch_size '
                         'and optim_wrapper.optimizer.lr in the config')
    batch = cfg.train_dataloader.batch_size
    accumulation = cfg.optim_wrapper.get('accumulative_counts', 1)
    effective = batch * num_processes * accumulation
    before = optimizer.lr
    optimizer.lr = before * effective / base
    cfg.auto_scale_lr.enable = False
    tell(f'batch {batch} per GPU x {num_processes} GPUs x {accumulation} '
         f'accumulated = {effective}, learning rate {before:g} (for {base}) '
         f'-> {optimizer.lr:g}')
    return before, optimizer.lr


def process_info(launcher: str) -> Tuple[int, int]:
    """Number of processes and rank of this one, before any group exists."""
    size, rank = PROCESS_VARIABLES.get(launcher, ('', ''))
    return int(os.environ.get(size, 1)), int(os.environ.get(rank, 0))


def has_gpu() -> bool:
    """Whether training runs on an accelerator that mixed precision and
    NCCL-like groups are for; Apple's GPU is not one."""
    return get_device() not in ('cpu', 'mps')


def split_scope(name: str) -> Tuple[str, str]:
    """Split ``'mmengine.OptimWrapper'`` into ``'mmengine.'`` and the rest."""
    scope, dot, rest = name.rpartition('.')
    return scope + dot, rest


def tell(message: str) -> None:
    """Print once, in the first process: there is no logger yet."""
    ranks = (os.environ.get(rank, '0')
             for _, rank in PROCESS_VARIABLES.values())
    if all(rank == '0' for rank in ranks):
        print(message, flush=True)
