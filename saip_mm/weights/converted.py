"""What a conversion gives, and the comparison that makes it strict."""
from collections import OrderedDict
from typing import Dict, List, NamedTuple, Optional, Sequence

from torch import Tensor

from .architecture import HEAD, MAPS
from .backbone import backbone_options
from .check import LISTED, OPTIONAL
from .position_grid import Grid
from .stage_nets import Shapes

SWIN = 'mmpretrain.SwinTransformer'
# of a file's notes, what goes with its backbone wherever it is written
KEPT = ('input', 'untrained', 'tokens', 'semantic_weight', 'teacher', 'data',
        'licence', 'batch_norm')


class Hints(NamedTuple):
    """What is known of a file besides its tensors."""
    layout: str
    saip: bool
    grid: Optional[Grid]
    options: dict


class Converted(NamedTuple):
    """A backbone of this project, out of a file.

    Attributes:
        weights (dict[str, Tensor]): By the names of ``model['type']``; no
            tensor is copied or changed, but a class token's position joined.
        model (dict): Config of the backbone that takes them, all of them.
        layout (str): What the file was recognised as.
        which (str, optional): 'student' or 'teacher', where there was a
            choice or the file says so.
        grid (tuple[int, int], optional): Rows and columns of its positions.
        left_out (list[str]): Keys that are no part of a backbone: heads,
            decoders, the other branch's are not listed.
        meta (dict): What the file says of itself.
    """
    weights: Dict[str, Tensor]
    model: dict
    layout: str
    which: Optional[str] = None
    grid: Optional[Grid] = None
    left_out: Sequence[str] = ()
    meta: dict = {}

    @property
    def options(self) -> dict:
        """Arguments of the backbone that no tensor shows."""
        if self.model['type'] == SWIN:
            return {}
        if self.model['type'] == MAPS:
            return {k: v for k, v in self.model.items() if k != 'type'}
        heads = self.model['arch']
        heads = heads['num_heads'] if isinstance(heads, dict) else \
            self.weights['pos_embed'].shape[-1] // HEAD
        return dict(
            num_heads=heads,
            last_block_heads=self.model.get('last_block_heads', heads))

    def checkpoint(self, **origin) -> dict:
        """A file to save: names of this project's, what it is in ``meta``.

        Args:
            **origin: Plain values to note of where it comes from.
        """
        meta = dict(
            origin=dict(layout=self.layout, which=self.which, **origin))
        if self.grid is not None:
            meta['position_grid'] = list(self.grid)
        if self.model['type'] != SWIN:
            said = backbone_options(dict(meta=self.meta))
            meta['backbone'] = {**said, **self.options}
        meta.update((k, self.meta[k]) for k in KEPT if k in self.meta)
        return dict(meta=meta, state_dict=OrderedDict(self.weights))


def compare(weights: Dict[str, Tensor],
            shapes: Shapes,
            names: Dict[str, str],
            layout: str,
            note: str = '') -> None:
    """Refuse what is missing, left over or of another shape.

    Args:
        weights (dict[str, Tensor]): By the file's names.
        shapes (dict[str, tuple]): By own names.
        names (dict[str, str]): Own name of each of the file's.
        layout (str): For the error.
        note (str): End of the error.
    """
    missing = [
        k for k, own in names.items()
        if k not in weights and not own.endswith(OPTIONAL)
    ]
    unexpected = [k for k in weights if k not in names]
    misshapen = [
        f'{k} {tuple(weights[k].shape)} for {shapes[own]}'
        for k, own in names.items()
        if k in weights and tuple(weights[k].shape) != shapes[own]
    ]
    found = [(kind, keys)
             for kind, keys in (('missing', missing), ('unexpected',
                                                       unexpected),
                                ('of another shape', misshapen)) if keys]
    if found:
        raise ValueError(f'recognised as {layout}, but ' +
                         '; '.join(f'{kind}: {listed(keys)}'
                                   for kind, keys in found) + note)


def listed(keys: List[str]) -> str:
    """Some of the keys, and how many more."""
    more = f' and {len(keys) - LISTED} more' if len(keys) > LISTED else ''
    return ', '.join(keys[:LISTED]) + more
