"""What a pretraining with a frozen expert has to be set to."""
import os.path as osp

import timm

from ..engine.config_doors import expand_home
from .start_weights import weights_place


def expert_place(expert: str) -> str:
    """How a config names an expert.

    Args:
        expert (str): A file, a folder of timm's, a name of timm's, a URL, or
            a model of the zoo.

    Returns:
        str: Paths made absolute; names of timm's as they are; those of the
        zoo as ``saip://NAME``.

    Example:
        >>> expert_place('vit_small_patch14_dinov2.lvd142m')
        'vit_small_patch14_dinov2.lvd142m'
        >>> expert_place('saip_vit-tiny_lup1m')
        'saip://saip_vit-tiny_lup1m'
    """
    if is_timm_name(expert):
        return expert
    return weights_place(expert)


def is_timm_name(expert: str) -> bool:
    """Whether timm has a model of that name, and no file has."""
    return (not osp.exists(expand_home(expert))
            and osp.basename(expert) == expert
            and timm.is_model(expert.partition('.')[0]))


def expert_settings(expert: str) -> dict:
    """Settings of a ``FrozenExpert``, which are not tried.

    Args:
        expert (str): As in :func:`expert_place`.

    Example:
        >>> expert_settings('vit_small_patch14_dinov2.lvd142m')['encoder']
        {'type': 'TimmEncoder', 'model_name': \
'vit_small_patch14_dinov2.lvd142m', 'pretrained': True}
    """
    place = expert_place(expert)
    settings = dict(type='FrozenExpert')
    if is_timm_name(expert):
        settings['encoder'] = dict(
            type='TimmEncoder', model_name=place, pretrained=True)
    elif osp.isdir(place):
        settings['encoder'] = dict(type='TimmEncoder', model_name=place)
    else:
        settings['checkpoint'] = place
    return settings
