"""Where a backbone lies in a checkpoint."""
from collections import OrderedDict
from typing import Optional, Tuple

from .check import LISTED
from .read import meta_of, weights_of
from .saved_config import saved_settings
from .semantic import DEFAULT_WEIGHT, controllers_beside, fold_controllers

# where a backbone lies in a training checkpoint, the first that is there
BACKBONES = dict(
    student=('encoder.backbone.', 'backbone.'),
    expert=('expert.encoder.backbone.', ))

# arguments of a backbone that no tensor shows
UNSEEN = ('num_heads', 'last_block_heads', 'model_name', 'last_stride',
          'neck_stride', 'mask_padding')


def extract_backbone(
        checkpoint: dict,
        which: str = 'student',
        semantic_weight: Optional[float] = None) -> Tuple[dict, dict]:
    """Take the image encoder's backbone out of a training checkpoint.

    Args:
        checkpoint (dict): As mmengine's runner saves it.
        which (str): 'student' or 'expert'.
        semantic_weight (float, optional): Lambda at which the controllers of
            a ``SemanticEncoder`` (SOLIDER) become part of the backbone.
            Defaults to the checkpoint's, or 0.2. Without controllers it is
            not read.

    Returns:
        tuple: The backbone's state dict, without prefix and without the
        ``pos_grid`` buffer, so that mmpretrain's own classes take it; and
        ``meta``: what is known of its origin, with the buffer as
        ``position_grid`` ``[h, w]``.

    Raises:
        ValueError: If ``which`` is unknown or not in the checkpoint.
    """
    if which not in BACKBONES:
        raise ValueError(f"which must be 'student' or 'expert', got '{which}'")
    weights = weights_of(checkpoint)
    for prefix in BACKBONES[which]:
        backbone = OrderedDict((key[len(prefix):], value)
                               for key, value in weights.items()
                               if key.startswith(prefix))
        if backbone:
            break
    else:
        hint = (" (a frozen expert is not saved: take 'student')"
                if which == 'expert' else '')
        raise ValueError(f'the checkpoint has no {which}: no key starts with '
                         f"'{BACKBONES[which][0]}'{hint}; its keys are like "
                         f'{list(weights)[:LISTED]}')
    meta = dict(meta_of(checkpoint))
    controllers = controllers_beside(weights, prefix)
    if controllers:
        said = meta.get('encoder')
        if semantic_weight is None and isinstance(said, dict):
            semantic_weight = said.get('semantic_weight')
        if semantic_weight is None:
            semantic_weight = DEFAULT_WEIGHT
        backbone = fold_controllers(backbone, controllers, semantic_weight)
        meta['semantic_weight'] = semantic_weight
    grid = backbone.pop('pos_grid', None)
    if grid is not None:
        meta['position_grid'] = grid.tolist()
    return backbone, meta


def backbone_options(checkpoint: dict) -> dict:
    """What a file says of its backbone that its tensors do not show.

    A pretraining's checkpoint and a published file say it themselves, a
    task's has its config in it.

    Args:
        checkpoint (dict): A training checkpoint or a published backbone.

    Returns:
        dict: Plain values by argument; empty where it says nothing.
    """
    meta = meta_of(checkpoint)
    encoder = meta.get('encoder')
    said = meta.get('backbone')
    if said is None and isinstance(encoder, dict):
        said = encoder.get('backbone')
    if isinstance(said, dict):
        return dict(said)
    return _configured(saved_settings(meta))


def _configured(settings: dict) -> dict:
    """What a saved config sets of a backbone, of what no tensor shows."""
    model = dict_in(settings, 'model')
    backbone = dict_in(dict_in(model, 'encoder') or model, 'backbone')
    heads = dict_in(backbone, 'arch').get('num_heads')
    said = {'num_heads': heads, **backbone}
    return {key: said[key] for key in UNSEEN if said.get(key) is not None}


def dict_in(settings: dict, key: str) -> dict:
    """A dict in settings; empty where there is none."""
    value = settings.get(key)
    return value if isinstance(value, dict) else {}
