"""What is to be exported: a model, its weights and its input."""
import os
import os.path as osp
from typing import NamedTuple, Optional, Sequence, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from saip_mm.models.preprocessors.person_views import (IMAGENET_MEAN,
                                                       IMAGENET_STD)
from saip_mm.weights import (extract_backbone, file_sha256, load_weights,
                             meta_of, read_checkpoint, weights_of)
from saip_mm.weights.onnx_file import quiet
from saip_mm.weights.saved_config import builds_known_classes, parse_config
from ..config import load_config, read_config
from ..models import built_backbone, convert_file

Size = Tuple[int, int]
PERSON = (256, 128)  # height and width of a person, where nothing says it
# get what OpenCV reads
BGR = ('DetDataPreprocessor', 'SegDataPreProcessor', 'PoseDataPreprocessor')
IMAGENET = (tuple(255 * x for x in IMAGENET_MEAN),
            tuple(255 * x for x in IMAGENET_STD))


class Source(NamedTuple):
    """A model to be exported.

    Attributes:
        name (str): For files and tables.
        model (nn.Module): A task's model or a backbone, with its weights.
        size (tuple[int, int]): Height and width of its input.
        mean, std (tuple[float]): Of red, green and blue, in 0-255.
        classes (tuple[str] or None): Names of what it tells apart.
        origin (dict): Config, file of weights and its hash, for a sidecar.
    """
    name: str
    model: nn.Module
    size: Size
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    classes: Optional[Tuple[str, ...]]
    origin: dict


def load_source(what: Union[str, os.PathLike, Config],
                checkpoint: Optional[str] = None,
                size: Optional[Sequence[int]] = None,
                options: Optional[dict] = None) -> Source:
    """Build what a config or a file of weights stands for.

    A pretraining stands for its backbone, the student's.

    Args:
        what (str | PathLike | Config): A config, or a file of weights: a
            training checkpoint, which has its config in it, or a backbone in
            any layout that :func:`~saip_mm.weights.convert_backbone` knows.
        checkpoint (str, optional): Weights of a config. Defaults to None:
            the random start, good for latency alone.
        size (Sequence[int], optional): Height and width. Defaults to None:
            those of the config's tests, or 256x128.
        options (dict, optional): Changes to the config.

    Raises:
        FileNotFoundError, ValueError: If a file cannot be read, or does not
            fit; if a size is none, or not told.
    """
    if size is not None:
        size = check_size(size)
    is_config = isinstance(what, Config) or str(what).endswith('.py')
    if not is_config and checkpoint is not None:
        raise ValueError(f'{what} is itself taken for a file of weights: '
                         'with a checkpoint name a config, NAME.py')
    path = checkpoint if is_config else str(what)
    content = None if path is None else read_checkpoint(path)
    config = what if is_config else saved_config(content, path)
    if config is None:
        if options:
            raise ValueError(f'{path} has no config in it that --cfg-options '
                             'could change')
        cfg = Config()
    elif isinstance(config, Config):
        cfg = load_config(config, options)
    else:
        cfg = load_config(read_config(str(config)), options)
    model_cfg = cfg.get('model') or {}
    if config is None:
        model = built_backbone(convert_file(content, path), path)
    elif 'encoder' in model_cfg:
        model = _backbone(model_cfg.encoder.backbone, content, path)
    elif 'backbone' in model_cfg:  # beside it, configs keep their _base_'s
        model = _task_model(cfg, content, path)
    elif cfg.get('backbone'):
        model = _backbone(cfg.backbone, content, path)
    else:
        raise ValueError(f'{what} has neither model nor backbone')
    mean, std = _statistics(model_cfg, content)
    return Source(
        _name(what, cfg), model, size or config_size(cfg) or PERSON, mean, std,
        _classes(content), _origin(what if is_config else None, path))


def check_size(size: Sequence[int]) -> Size:
    """Height and width of an input.

    Raises:
        ValueError: If they are not two numbers above zero.
    """
    size = tuple(size)
    if len(size) != 2 or not all(
            isinstance(side, int) and side > 0 for side in size):
        raise ValueError(f'size {size} must be height and width in pixels, '
                         'such as 256 128')
    return size


def saved_config(content: dict, path: str) -> Optional[Config]:
    """The config that a training checkpoint was saved with.

    Args:
        content (dict): Of the checkpoint.
        path (str): Of it, for errors.

    Returns:
        Config, optional: None if it has none, as a published backbone.

    Raises:
        ValueError: If it names other classes than those of OpenMMLab.
    """
    text = meta_of(content).get('cfg')
    settings = parse_config(text)
    if text and not (settings and builds_known_classes(settings)):
        raise ValueError(
            f'the config in {path} names what is not of OpenMMLab and is not '
            'used: name your config, and this file as its checkpoint')
    if not settings or 'model' not in settings:
        return None
    # its imports are this package's, by builds_known_classes
    return Config(settings)


def config_size(cfg: Config) -> Optional[Size]:
    """Height and width of the pictures of a config's tests.

    Pictures that keep their proportions are taken to lie: the long side is
    the width. Both are rounded up to what the model pads to.

    Returns:
        tuple[int, int] or None: If the config does not say.
    """
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    found = None
    for step in dataset.get('pipeline') or []:
        kind = str(step.get('type', '')).replace('/', '.').split('.')[-1]
        if kind == 'TopdownAffine':
            found = tuple(step['input_size'])[::-1]
        elif kind == 'Resize' and 'scale' in step:
            found = tuple(step['scale'])[::-1]
            if step.get('keep_ratio'):
                found = min(found), max(found)
        elif kind in ('Resize', 'WholePictureAffine') and 'size' in step:
            found = tuple(step['size'])
    if found is None:
        return None
    pads = (cfg.get('model') or {}).get('data_preprocessor') or {}
    divisor = pads.get('pad_size_divisor', 1)
    height, width = (-(-side // divisor) * divisor for side in found)
    return height, width


def _backbone(settings: dict, content: Optional[dict],
              path: Optional[str]) -> nn.Module:
    settings = dict(settings)
    if settings['type'].endswith('VisionTransformer'):
        settings.update(out_type='featmap', out_indices=-1)
    if content is not None:  # in place of what the config starts from
        settings.pop('init_cfg', None)
    model = MODELS.build(settings)
    if content is None:
        with quiet():  # a line a tensor
            model.init_weights()
        return model
    try:
        weights, meta = extract_backbone(content)
    except ValueError:
        weights, meta = weights_of(content), meta_of(content)
    if meta.get('position_grid') is not None:
        weights['pos_grid'] = torch.tensor(meta['position_grid'])
    load_weights(model, weights, source=path)
    return model


def _task_model(cfg: Config, content: Optional[dict],
                path: Optional[str]) -> nn.Module:
    model = MODELS.build(cfg.model)
    if content is None:
        with quiet():
            model.init_weights()
    else:
        load_weights(model, weights_of(content), source=path)
    return model


def _statistics(model_cfg: dict, content: Optional[dict]) -> tuple:
    """Mean and deviation, RGB in 0-255."""
    given = model_cfg.get('data_preprocessor') or {}
    if 'encoder' in model_cfg or 'mean' not in given:
        meta = meta_of(content or {})
        given = meta.get('encoder') or meta.get('input') or {}
    if given.get('type') in BGR and not given.get('bgr_to_rgb'):
        raise ValueError(
            'the config trains on blue, green, red (no bgr_to_rgb): exported '
            'networks take red first')
    if 'mean' not in given:
        return IMAGENET
    return tuple(map(float, given['mean'])), tuple(map(float, given['std']))


def _classes(content: Optional[dict]) -> Optional[Tuple[str, ...]]:
    said = meta_of(content or {}).get('dataset_meta') or {}
    names = said.get('classes')
    if not isinstance(names, (list, tuple)):
        return None
    return tuple(map(str, names))


def _name(what, cfg: Config) -> str:
    """Of a recipe's place below ``configs``, else of the file."""
    file = cfg.filename if isinstance(what, Config) else str(what)
    stem = osp.splitext(file or 'model.py')[0].replace(os.sep, '/').split('/')
    if 'configs' in stem[:-1] and '_base_' not in stem:
        return '_'.join(stem[stem.index('configs') + 1:])
    return stem[-1]


def _origin(config, path: Optional[str]) -> dict:
    if isinstance(config, Config):
        config = config.filename
    return dict(
        config=config and osp.basename(str(config)),
        weights='random' if path is None else osp.basename(path),
        weights_sha256=None if path is None else file_sha256(path))
