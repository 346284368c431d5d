"""What is to be exported: a model, its weights and its input."""
import copy
import os
import os.path as osp
from typing import NamedTuple, Optional, Sequence, Tuple, Union

import torch
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

from saip_mm.weights import (extract_backbone, file_sha256, load_weights,
                             meta_of, read_checkpoint, weights_of)
from saip_mm.weights.backbone import dict_in
from saip_mm.weights.onnx_file import quiet
from saip_mm.weights.saved_config import builds_known_classes, parse_config
from saip_mm.weights.zoo import local_file
from ..config import load_config, read_config
from ..encoders import input_statistics
from ..models import built_backbone, convert_file
from .inputs import (PERSON, Size, check_channels, check_size, config_size,
                     how_fitted, preprocessor)
from .labels import labels_of

# folders below which places say what a file is of
PLACES = ('configs', 'work_dirs')


class Source(NamedTuple):
    """A model to be exported.

    Attributes:
        name (str): For files and tables.
        model (nn.Module): A task's model or a backbone, with its weights.
        size (tuple[int, int]): Height and width of its input.
        mean, std (tuple[float]): Of red, green and blue, in 0-255.
        fitted (str): How pictures are brought to that size.
        labels (dict): Names of what it tells apart, see :func:`labels_of`.
        origin (dict): Config, file of weights and its hash, for a sidecar.
    """
    name: str
    model: nn.Module
    size: Size
    mean: Tuple[float, ...]
    std: Tuple[float, ...]
    fitted: str
    labels: dict
    origin: dict


def load_source(what: Union[str, os.PathLike, Config],
                checkpoint: Optional[str] = None,
                size: Optional[Sequence[int]] = None,
                options: Optional[dict] = None) -> Source:
    """Build what a config or a file of weights stands for.

    A pretraining stands for its backbone, the student's.

    Args:
        what (str | PathLike | Config): A config, or a file of weights: a
            training checkpoint, which has its config in it, ``saip://NAME``,
            or a backbone in any layout that
            :func:`~saip_mm.weights.convert_backbone` knows.
        checkpoint (str, optional): Weights of a config. Defaults to None:
            the random start, good for latency alone.
        size (Sequence[int], optional): Height and width. Defaults to None:
            those of the config's tests or of a pretraining's crops, else of
            a plain transformer's positions, else 256x128.
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
    path = path and (local_file(path) or path)
    content = None if path is None else read_checkpoint(path)
    cfg = _config(what if is_config else saved_config(content, path), options)
    if cfg is None:
        if options:
            raise ValueError(f'{path} has no config in it that --cfg-options '
                             'could change')
        cfg = Config()
        with quiet():
            model = built_backbone(convert_file(content, path), path)
    else:
        model = _built(cfg, content, path, what)
    check_channels(cfg)
    mean, std = _statistics(cfg, content)
    return Source(
        _name(what, cfg), model, size or config_size(cfg)
        or _own_size(model, content), mean, std, how_fitted(cfg),
        labels_of(content), _origin(what if is_config else None, path))


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


def _config(config, options: Optional[dict]) -> Optional[Config]:
    if config is None:
        return None
    if not isinstance(config, Config):
        return load_config(read_config(str(config)), options)
    return load_config(copy.deepcopy(config), options)  # the caller's stays


def _built(cfg: Config, content: Optional[dict], path: Optional[str],
           what) -> nn.Module:
    model_cfg = cfg.get('model') or {}
    if 'encoder' in model_cfg:
        return _backbone(model_cfg.encoder.backbone, content, path)
    if 'backbone' in model_cfg:  # beside it, configs keep their _base_'s
        return _task_model(cfg, content, path)
    if cfg.get('backbone'):
        return _backbone(cfg.backbone, content, path)
    raise ValueError(f'{what} has neither model nor backbone')


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


def _own_size(model: nn.Module, content: Optional[dict]) -> Size:
    """Of the crops it was trained on, its positions, else a person's."""
    said = dict_in(meta_of(content or {}), 'input').get('size')
    if said:
        return tuple(said)
    if not hasattr(model, 'pos_grid'):
        return PERSON
    stride = model.patch_embed.projection.stride
    height, width = (n * s for n, s in zip(model.pos_grid.tolist(), stride))
    return height, width


def _statistics(cfg: Config, content: Optional[dict]) -> tuple:
    """Mean and deviation, RGB in 0-255; of a pretraining as saved."""
    given, meta = preprocessor(cfg), meta_of(content or {})
    told = 'encoder' in (cfg.get('model') or {}) and meta.get('encoder')
    if told or not {'mean', 'std'} <= set(given):
        return input_statistics(meta)
    return tuple(map(float, given['mean'])), tuple(map(float, given['std']))


def _name(what, cfg: Config) -> str:
    """Of a recipe's or run's place below its folder, else of the file."""
    file = cfg.filename or str(what)
    if isinstance(what, Config) and not cfg.filename:
        file = 'model.py'
    stem = osp.splitext(file)[0].replace(os.sep, '/').split('/')
    for place in PLACES:
        if place in stem[:-1] and '_base_' not in stem:
            last = len(stem) - 1 - stem[::-1].index(place)
            return '_'.join(stem[last + 1:])
    return stem[-1]


def _origin(config, path: Optional[str]) -> dict:
    if isinstance(config, Config):
        config = config.filename
    return dict(
        config=config and osp.basename(str(config)),
        weights='random' if path is None else osp.basename(path),
        weights_sha256=None if path is None else file_sha256(path))
