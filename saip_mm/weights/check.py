"""Whether weights fit a model, and what does not."""
from typing import Dict, List, Sequence, Tuple

from mmengine.logging import print_log
from torch import Tensor, nn

# counters and grids: a model makes up its own where a file has none; gains
# and shifts behind blocks, which a transformer takes up where a file has them
OPTIONAL = ('pos_grid', 'num_batches_tracked', '.affine_gain', '.affine_shift')
LISTED = 5  # keys an error names of each kind
REMEDY = ('Check that architecture and width are those it was trained with; '
          "name the part of a larger model with prefix='backbone.'; convert "
          'foreign names with saip-mm convert')


class NoMatchError(RuntimeError, ValueError):
    """No tensor of a checkpoint fits the model it was named for."""


def load_weights(module: nn.Module,
                 weights: Dict[str, Tensor],
                 source: str = 'the checkpoint') -> None:
    """Load weights, all of them or none.

    Args:
        module (nn.Module): Receives them; untouched if they do not fit.
        weights (dict[str, Tensor]): By the module's names. Position tables
            of another length are left to the module, which may resize them.
        source (str): Where they come from, for the error.

    Parts of which the module says that only training has them
    (``training_only``, beginnings of names) are left as they are where they
    do not fit: a classifier of the training persons, say.

    Raises:
        ValueError: If keys or shapes differ, naming some of each kind.
    """
    weights = for_test(module, weights, source)
    check_weights(
        module, weights, source, exact=True, spared=training_only(module))
    module.load_state_dict(weights, strict=False)


def training_only(module: nn.Module) -> Tuple[str, ...]:
    """Beginnings of the names of what a test does without."""
    return tuple(getattr(module, 'training_only', ()))


def for_test(module: nn.Module, weights: Dict[str, Tensor],
             source: str) -> Dict[str, Tensor]:
    """Leave out what a test does without and does not fit, with a note.

    Args:
        module (nn.Module): Is to receive the weights.
        weights (dict[str, Tensor]): By the module's names.
        source (str): Where they come from, for the note.

    Returns:
        dict[str, Tensor]: The others, or ``weights`` itself.
    """
    own, begins = module.state_dict(), training_only(module)
    other = [
        k for k, v in weights.items()
        if k.startswith(begins) and (k not in own or own[k].shape != v.shape)
    ]
    if not other:
        return weights
    more = f' and {len(other) - 1} others' if len(other) > 1 else ''
    print_log(
        f'{source}: {other[0]} {tuple(weights[other[0]].shape)}{more} of '
        'another shape or name left out; only training has a use for them',
        'current')
    return {k: v for k, v in weights.items() if k not in other}


def check_weights(module: nn.Module,
                  weights: Dict[str, Tensor],
                  source: str,
                  needed: Sequence[str] = ('', ),
                  exact: bool = False,
                  file_keys: Sequence[str] = (),
                  remedy: str = REMEDY,
                  spared: Sequence[str] = ()) -> None:
    """Refuse weights of another architecture.

    Args:
        module (nn.Module): Is to receive them.
        weights (dict[str, Tensor]): By the module's names.
        source (str): Where they come from, for the error.
        needed (Sequence[str]): Beginnings of the keys that must be there.
            Defaults to all.
        exact (bool): Refuse keys that the module does not have. Defaults to
            False.
        file_keys (Sequence[str]): All keys as the source has them, for the
            error. Defaults to those of ``weights``.
        remedy (str): End of the error: what to do.
        spared (Sequence[str]): Beginnings of the keys that may be missing.
            Defaults to none.

    Raises:
        NoMatchError: If not a single tensor fits by name and shape.
        ValueError: If keys or shapes differ, naming some of each kind.
    """
    own = module.state_dict()
    if not any(k in own and v.shape == own[k].shape
               for k, v in weights.items()):
        raise NoMatchError(
            f'{source} does not fit {type(module).__name__}: no tensor '
            'matches by name and shape. Its keys are like '
            f'{list(file_keys or weights)[:LISTED]}, the model\'s are like '
            f'{list(own)[:LISTED]}. {remedy}')
    problems = [
        _listed('missing', [
            k for k in own if k not in weights and k.startswith(tuple(needed))
            and not k.startswith(tuple(spared))
        ]),
        _listed('unexpected', [k for k in weights if exact and k not in own]),
        _listed('of another shape', [
            f'{k} {tuple(v.shape)} for {tuple(own[k].shape)}'
            for k, v in weights.items() if k in own and v.shape != own[k].shape
            and not k.endswith('pos_embed')
        ])
    ]
    problems = [problem for problem in problems if problem]
    if problems:
        raise ValueError(f'{source} does not fit {type(module).__name__}: '
                         f'{"; ".join(problems)}. {remedy}')


def _listed(kind: str, keys: List[str]) -> str:
    keys = [key for key in keys if not key.endswith(OPTIONAL)]
    more = f' and {len(keys) - LISTED} more' if len(keys) > LISTED else ''
    return keys and f'{kind}: {", ".join(keys[:LISTED])}{more}'
