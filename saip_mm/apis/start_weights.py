"""What a pretraining that continues from a file has to be set to."""
import os.path as osp

from mmengine.config import Config

from mmpretrain.registry import MODELS
from ..engine.config_doors import expand_home
from ..engine.shipped_configs import config_path
from ..weights import (BACKBONES, backbone_options, extract_backbone,
                       peek_checkpoint)
from .start_plan import check_choice

ZOO = 'saip://'
SUFFIXES = ('.pth', '.pt', '.ckpt', '.safetensors')


def weights_place(init: str) -> str:
    """A path made absolute, a URL as it is, a bare name as one of the zoo.

    Example:
        >>> weights_place('saip_vit-tiny_lup1m')
        'saip://saip_vit-tiny_lup1m'
    """
    if '://' in init:
        return init
    path = expand_home(init)
    is_path = (
        osp.exists(path) or osp.basename(path) != path
        or path.endswith(SUFFIXES))
    return osp.abspath(path) if is_path else ZOO + init


def starting_weights(init: str, which: str, backbone: str) -> dict:
    """Settings with which a backbone starts from a file, which is tried.

    Args:
        init (str): A published backbone or a training checkpoint: a path, a
            URL, ``saip://NAME`` or NAME.
        which (str): 'student' or 'expert', of a training checkpoint.
        backbone (str): Whose shipped config is changed.

    Returns:
        dict: Arguments of the backbone: ``init_cfg``, and what the file says
        of its architecture that differs from the shipped config's, such as
        ``last_stride``.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no checkpoint, has no such part, or does not fit
            the backbone; names keys.
    """
    check_choice('part of a checkpoint', which, tuple(BACKBONES))
    place = weights_place(init)
    content = peek_checkpoint(place)
    shipped = Config.fromfile(config_path(f'saip/{backbone}.py'))
    shipped = shipped.model.encoder.backbone
    own = MODELS.build(shipped).options
    start = {
        key: value
        for key, value in backbone_options(content).items()
        if key in own and key != 'model_name' and value != own[key]
    }
    start['init_cfg'] = dict(type='Pretrained', checkpoint=place)
    if which == 'expert':
        extract_backbone(content, which)
        start['init_cfg']['prefix'] = BACKBONES[which][0]
    try:
        MODELS.build(dict(shipped, **start)).init_weights()
    except ValueError as error:
        raise ValueError(
            f'--init cannot start a {backbone}: {error}') from error
    return start
