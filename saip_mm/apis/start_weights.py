"""The file that a pretraining continues from: whole, or refused."""
import os.path as osp
from typing import NamedTuple, Optional

from mmengine.config import Config

from mmpretrain.registry import MODELS
from ..engine.config_doors import expand_home
from ..engine.shipped_configs import config_path
from ..weights import (Converted, backbone_options, load_weights,
                       peek_checkpoint)
from ..weights.zoo import SCHEME
from .models import convert_file, init_cfg_of, is_ours, loaded_weights
from .start_text import COPY

SUFFIXES = ('.pth', '.pt', '.ckpt', '.safetensors')


class Start(NamedTuple):
    """What a backbone starts from.

    Attributes:
        settings (dict): Arguments of the backbone: ``init_cfg``, and what the
            file says of its architecture that differs from the shipped
            config's, such as ``last_stride``.
        place (str): Where the file is.
        copy (dict, optional): To be saved as ``init.pth`` beside the config,
            which names it; None where the file serves as it is.
    """
    settings: dict
    place: str
    copy: Optional[dict] = None


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
    return osp.abspath(path) if is_path else SCHEME + init


def starting_weights(init: str, which: Optional[str], backbone: str) -> Start:
    """What a backbone has to be set to, to start from a file.

    The file is opened and tried: every tensor of it has its place in the
    backbone, and every tensor of the backbone is in it.

    Args:
        init (str): In any layout that
            :func:`~saip_mm.weights.convert_backbone` knows: a path, a URL,
            ``saip://NAME`` or NAME.
        which (str, optional): 'student' or 'expert', where the file holds
            both. None: the student of SAIP and of this project, the teacher
            of DINO and SOLIDER.
        backbone (str): Whose shipped config is changed.

    Returns:
        Start: Settings, and a copy where the names are other projects'.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no checkpoint, has no such part, or does not fit
            the backbone; names keys.
    """
    place = weights_place(init)
    content = peek_checkpoint(place)
    try:
        found = convert_file(content, place, which)
        settings = _differing(found, content, place, backbone)
    except ValueError as error:
        raise ValueError(
            f'--init cannot start a {backbone}: {error}') from error
    if is_ours(found):
        settings['init_cfg'] = init_cfg_of(found, content, place)
        return Start(settings, place)
    settings['init_cfg'] = dict(
        type='Pretrained', checkpoint='{{ fileDirname }}/' + COPY)
    return Start(settings, place, found.checkpoint())


def _differing(found: Converted, content: dict, place: str,
               backbone: str) -> dict:
    """Arguments other than the shipped ones, with which the weights fit."""
    shipped = Config.fromfile(config_path(f'saip/{backbone}.py'))
    shipped = dict(shipped.model.encoder.backbone, init_cfg=None)
    held, wanted = (
        model.get('model_name', model['type'].split('.')[-1])
        for model in (found.model, shipped))
    if held != wanted:
        raise ValueError(f'{place} holds a {held} ({found.layout}), which is '
                         f'not of {wanted}: choose the --backbone that it is')
    own = MODELS.build(shipped).options
    said = {**backbone_options(content), **found.options}
    settings = {
        key: value
        for key, value in said.items()
        if key in own and key != 'model_name' and value != own[key]
    }
    built = MODELS.build(dict(shipped, **settings))
    load_weights(built, loaded_weights(found), place)
    return settings
