"""What a training checkpoint knows of its encoder besides the backbone.

A published backbone has it in ``meta``, as plain values: its tensors stay
those which every library takes.
"""
from typing import Dict, List, Optional, Union

from torch import Tensor

from .backbone import BACKBONES, dict_in
from .read import meta_of, weights_of
from .saved_config import saved_settings

# of an encoder beside its backbone, LayerNorms
NORMS = ('image_norm', 'patch_norm')


def encoder_facts(checkpoint: dict, which: str) -> dict:
    """Entries of a published file's ``meta``.

    Args:
        checkpoint (dict): Of a training.
        which (str): 'student' or 'expert'.

    Returns:
        dict: Of what is known: ``input`` (channels, mean and std in 0-255,
        and ``size``, height and width), ``untrained`` (names of parameters
        that no objective reached), ``tokens`` (what makes tokens of the
        backbone's maps: weight and bias of ``image_norm`` and
        ``patch_norm``, ``patch_index``, ``stride``).
    """
    settings = saved_settings(meta_of(checkpoint))
    said = dict_in(meta_of(checkpoint), 'encoder')
    found = dict(
        input=_input(said, settings),
        untrained=said.get('untrained'),
        tokens={
            **_choices(dict_in(dict_in(settings, 'model'), 'encoder')),
            **_choices(said),
            **_norms(weights_of(checkpoint), which)
        })
    return {key: value for key, value in found.items() if value}


def _input(said: dict, settings: dict) -> dict:
    found = {}
    if {'mean', 'std'} <= set(said):
        found.update(
            channels='RGB', mean=list(said['mean']), std=list(said['std']))
    size = crop_size(settings)
    if size is not None:
        found['size'] = size
    return found


def crop_size(settings: dict) -> Optional[List[int]]:
    """Height and width of a pretraining's crops, by its config."""
    for step in steps_of(settings.get('train_dataloader')):
        if str(step.get('type')).endswith('PersonCrops') and step.get('size'):
            return list(step['size'])
    return None


def steps_of(settings: Union[dict, list, None]) -> List[dict]:
    """All dicts, however deep."""
    if isinstance(settings, dict):
        return [settings] + [
            step for value in settings.values() for step in steps_of(value)
        ]
    if isinstance(settings, (list, tuple)):
        return [step for value in settings for step in steps_of(value)]
    return []


def _choices(encoder: dict) -> dict:
    return {
        key: encoder[key]
        for key in ('patch_index', 'stride')
        if isinstance(encoder.get(key), int)
    }


def _norms(weights: Dict[str, Tensor], which: str) -> dict:
    """Weight and bias as lists: a float32 comes back from them to the bit."""
    start = BACKBONES[which][0][:-len('backbone.')]
    found: Dict[str, dict] = {}
    for name in NORMS:
        for part in ('weight', 'bias'):
            tensor = weights.get(f'{start}{name}.{part}')
            if tensor is not None:
                found.setdefault(name, {})[part] = tensor.tolist()
    return found
