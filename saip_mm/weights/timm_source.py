"""timm's models by name, or by a folder, with weights that run no code."""
import json
import os.path as osp
import re
import sys
from typing import Optional, Tuple

import timm
from torch import nn

from .check import check_weights
from .key_maps import BESIDE
from .read import read_checkpoint, weights_of

# what timm looks for in a folder, in this order
FOLDER_FILES = ('model.safetensors', 'pytorch_model.bin', 'model.pth',
                'pytorch_model.pth')
REMEDY = ('Name the model that the file is of; `timm.list_models()` lists '
          'them')


def is_timm_folder(path: str) -> bool:
    """Whether a folder is one that timm opens by ``local-dir:``."""
    return osp.isfile(osp.join(osp.expanduser(path), 'config.json'))


def folder_weights(folder: str) -> str:
    """The file of weights in a folder of timm's.

    Raises:
        FileNotFoundError: If there is no such folder, or it lacks
            ``config.json`` or weights.
    """
    folder = osp.expanduser(folder)
    if not is_timm_folder(folder):
        raise FileNotFoundError(
            f'{folder} is no folder of a timm model: it has no config.json')
    for name in FOLDER_FILES:
        if osp.isfile(osp.join(folder, name)):
            return osp.join(folder, name)
    raise FileNotFoundError(f'{folder} holds config.json but no weights, one '
                            f'of {", ".join(FOLDER_FILES)}')


def timm_name_and_file(
        model_name: str,
        checkpoint: Optional[str] = None) -> Tuple[str, Optional[str]]:
    """What to ask timm for, and the file of its weights, if there is one.

    Args:
        model_name (str): timm's name, with or without the tag behind the
            dot, or a folder.
        checkpoint (str, optional): A file; a folder has its own.

    Raises:
        FileNotFoundError: As :func:`folder_weights`.
        ValueError: If timm knows no such model.
    """
    if osp.isdir(osp.expanduser(model_name)):
        folder = osp.abspath(osp.expanduser(model_name))
        return f'local-dir:{folder}', checkpoint or folder_weights(folder)
    if not timm.is_model(model_name.partition('.')[0]):
        raise ValueError(
            f"timm {timm.__version__} knows no model '{model_name}', and it "
            'is no folder: `timm.list_models()` lists the names')
    return model_name, checkpoint


def build_timm_model(model_name: str,
                     pretrained: bool = False,
                     **kwargs) -> nn.Module:
    """A model of timm's without classifier, for pictures of any size.

    Args:
        model_name (str): Of :func:`timm_name_and_file`.
        pretrained (bool): Have timm fetch its weights, by its own cache.
            Defaults to False.
        **kwargs: Arguments of the model.

    Raises:
        ValueError: If the weights cannot be had, or the model takes pictures
            of one size only.
    """
    kwargs = dict(pretrained=pretrained, num_classes=0, **kwargs)
    try:
        try:
            return timm.create_model(
                model_name, dynamic_img_size=True, **kwargs)
        except TypeError as error:
            if 'dynamic_img_size' not in str(error):
                raise
        model = timm.create_model(model_name, **kwargs)
    except (OSError, RuntimeError, ValueError, json.JSONDecodeError) as error:
        raise ValueError(
            f"timm cannot make '{model_name}'"
            f'{" with its pretrained weights" if pretrained else ""}: '
            f'{error}. Without a network, save the file elsewhere and name it '
            'by checkpoint=FILE') from error
    if type(model).__name__ != 'NaFlexVit':  # which takes any size
        raise ValueError(
            f"timm's {type(model).__name__} takes pictures of one size only: "
            'take a plain transformer, or a hierarchical model through '
            "encoder=dict(backbone=dict(type='StrideMapBackbone', "
            f"model_name='{model_name}'))")
    return model


def load_timm_file(model: nn.Module, file: str) -> None:
    """Load a file into a model of timm's, all of the model's tensors.

    Known are timm's own files and those of the models' authors that timm
    itself converts: DINOv2, DINOv3, CLIP, SigLIP, PE, RADIO. Position tables
    are resized as timm does.

    Args:
        model (nn.Module): Without classifier.
        file (str): Of PyTorch or safetensors.

    Raises:
        FileNotFoundError, ValueError: If it cannot be read, or is of another
            model; names keys.
    """
    weights = weights_of(read_checkpoint(file))
    module = sys.modules[type(model).__module__]
    adapt = getattr(module, 'checkpoint_filter_fn', None)
    if adapt is not None:
        try:
            weights = adapt(dict(weights), model)
        except (AttributeError, AssertionError, KeyError, IndexError,
                RuntimeError, TypeError) as error:
            raise ValueError(
                f'{file} is of another layout than '
                f"timm's {type(model).__name__}: {error}; its keys are like "
                f'{list(weights)[:5]}. {REMEDY}') from error
    own = model.state_dict()
    weights = {
        k: v
        for k, v in weights.items() if k in own or not BESIDE.match(k)
    }
    check_weights(
        model,
        weights,
        file,
        exact=True,
        file_keys=list(weights),
        remedy=REMEDY)
    for key, value in weights.items():
        if value.shape != own[key].shape:  # check_weights spares positions
            raise ValueError(
                f'{file} does not fit {type(model).__name__}: {key} '
                f'{tuple(value.shape)} for {tuple(own[key].shape)}. {REMEDY}')
    model.load_state_dict(weights, strict=False)


def tagged_name(model_name: str) -> str:
    """A model's name as people know it, folders by their last part.

    Example:
        >>> tagged_name('local-dir:/a/b'), tagged_name('vit_tiny.x')
        ('b', 'vit_tiny.x')
    """
    return re.sub(r'^local-dir:.*/', '', model_name)
