from typing import Optional

from ..engine.config_doors import check_counts, check_folder, expand_home
from ..engine.dump_results import AtomicDumpResults, check_out_file
from ..engine.launch_options import adapt_to_device, has_gpu, tell, use_tta
from ..weights import check_checkpoint
from .config import build_runner, load_config


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
        work_dir (str, optional): As in :func:`~.training.train`.
        out (str, optional): Pickle file to write all predictions to.
        amp (bool): Mixed precision; single precision where there is no GPU.
        tta (bool): Average over the versions of each image that the
            config's ``tta_pipeline`` makes.
        cfg_options (dict, optional): Settings to override.
        launcher (str): As in :func:`~.training.train`.

    Returns:
        dict: Metrics by name.

    Raises:
        CheckpointError: If the checkpoint is unusable.
        OSError: If ``out`` or the work dir cannot be written to.
        ValueError: If the config has nothing to test, or no ``tta_model``
            although ``tta`` is set, or ``out`` does not end with ``.pkl``.
    """
    cfg = load_config(config, cfg_options, work_dir, launcher)
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
