"""Starting a backbone from a checkpoint, or saying why not."""
from typing import Optional, Sequence

from mmengine.logging import print_log
from mmengine.model import PretrainedInit

from saip_mm.weights import (BACKBONES, OPTIONAL, backbone_options,
                             check_weights, listed_keys, peek_checkpoint,
                             weights_of)
from saip_mm.weights.semantic import controllers_beside

# options with which the same tensors are another function
SHAPELESS = ('num_heads', 'last_block_heads')


class PretrainedMixin:
    """Makes ``init_cfg=dict(type='Pretrained', checkpoint=...)`` strict.

    mmengine loads what happens to fit and warns of the rest, so that a
    wrong file leaves the backbone at its random start. Here

    - ``checkpoint=None`` is a random start, so that a config can name the
      option and the user fills it in;
    - a training checkpoint serves as well as a published backbone: the
      student's backbone is found in it unless ``prefix`` is given;
    - a file that does not fit is refused, with its name and keys;
    - so is one that says its blocks have other heads; other ``options`` that
      differ from those of its training are told.

    For classes derived from ``BaseModule``, with ``options``: what of their
    arguments the weights cannot tell, plain values.
    """
    options: dict = {}

    def take_pretrained(self, needed: Sequence[str] = ('', )) -> dict:
        """Complete and check ``init_cfg``, before mmengine acts on it.

        Args:
            needed (Sequence[str]): Beginnings of the keys which the file
                must have. Defaults to all.

        Returns:
            dict: The checkpoint; empty where none is named.

        Raises:
            FileNotFoundError: If the file does not exist.
            NoMatchError: If no tensor of it fits this backbone; a
                ``RuntimeError``.
            ValueError: If it is damaged, lacks tensors, or has them in
                other shapes.
        """
        cfgs = self.init_cfg or []
        cfgs = [cfgs] if isinstance(cfgs, dict) else cfgs
        self.init_cfg = [
            dict(cfg) for cfg in cfgs
            if not _is_pretrained(cfg) or cfg.get('checkpoint')
        ]
        content = {}
        for cfg in filter(_is_pretrained, self.init_cfg):
            content = peek_checkpoint(cfg['checkpoint'])
            self._fit_options(cfg, content)
            self._fit_prefix(cfg, content, needed)
        return content

    def _fit_options(self, cfg: dict, content: dict) -> None:
        said = backbone_options(content)
        other = {
            key: value
            for key, value in said.items()
            if key in self.options and value != self.options[key]
        }
        asked = ', '.join(f'{k}={v!r}' for k, v in other.items())
        if set(other) & set(SHAPELESS):
            raise ValueError(
                f'{cfg["checkpoint"]} was trained with {asked}, which its '
                'tensors do not show: set that in the backbone\'s config')
        if other:
            print_log(
                f'{cfg["checkpoint"]} was trained with {asked}, here it is '
                f'{", ".join(f"{k}={self.options[k]!r}" for k in other)}',
                'current')

    @property
    def names_checkpoint(self) -> bool:
        """Whether ``init_cfg`` loads a file, as :meth:`take_pretrained` left
        it."""
        return any(map(_is_pretrained, self.init_cfg))

    def _fit_prefix(self, cfg: dict, content: dict,
                    needed: Sequence[str]) -> None:
        weights = weights_of(content)
        if cfg.get('prefix') is None:
            cfg['prefix'] = _student_prefix(weights)
        if cfg['prefix'] is None:
            prefix = ''
        else:
            prefix = f'{cfg["prefix"].rstrip(".")}.'
        if prefix.endswith('backbone.') and controllers_beside(
                weights, prefix):
            raise ValueError(
                f'{cfg["checkpoint"]} is a SOLIDER training, whose backbone '
                'is another at each lambda: publish it at one, '
                f'tools/publish_model.py {cfg["checkpoint"]} '
                '--semantic-weight 0.2, and take that file; to train it on, '
                'load_from takes the whole')
        inside = {
            key[len(prefix):]: value
            for key, value in weights.items() if key.startswith(prefix)
        }
        check_weights(
            self,
            inside,
            cfg['checkpoint'],
            needed,
            file_keys=listed_keys(content))
        own, given = _counted(self.state_dict()), _counted(inside)
        print_log(
            f"Take '{prefix}*' of {cfg['checkpoint']}: {len(own & given)} "
            f'tensors found, {len(own - given)} missing, '
            f'{len(given - own)} unexpected', 'current')


def _is_pretrained(cfg: dict) -> bool:
    return cfg['type'] in ('Pretrained', PretrainedInit)


def _counted(weights: dict) -> set:
    return {key for key in weights if not key.endswith(OPTIONAL)}


def _student_prefix(weights: dict) -> Optional[str]:
    for prefix in BACKBONES['student']:
        if any(key.startswith(prefix) for key in weights):
            return prefix
    return None
