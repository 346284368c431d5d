import re
from typing import Dict, List, Optional, Sequence, Tuple

import torch
from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor, OptimWrapper
from mmengine.utils import digit_version
from torch import nn

from mmpretrain.registry import OPTIM_WRAPPER_CONSTRUCTORS

# tokens and positions have two or more axes, so the rule on 1-D misses them
NO_DECAY = ('cls_token', 'mask_token', 'pos_embed', 'attention_biases',
            'relative_position_bias_table')
SETTINGS = ('layer_decay_rate', 'no_decay', 'custom_keys')
MULTIPLIERS = ('lr_mult', 'decay_mult')
# before the first block; what is neither this nor in a block comes after the
# last one: a final norm
STEM = re.compile(r'(timm_model\.)?(cls_token|dist_token|pos_embed|mask_token|'
                  r'patch_embed|pre_norm|stem)(_\d+)?\b')
# (stage, block) of mmpretrain's transformers, of timm's TinyViT, of timm's
# StarNet; features_only=True makes `stages_0` of `stages.0`
PLAIN = re.compile(r'layers\.(?P<block>\d+)\.')
NESTED = re.compile(r'(timm_model\.)?stages[._](?P<stage>\d+)\.'
                    r'(blocks\.(?P<block>\d+)|downsample)\.')
FLAT = re.compile(r'(timm_model\.)?stages[._](?P<stage>\d+)\.(?P<block>\d+)\.')


def block_of(name: str) -> Optional[Tuple[int, int]]:
    """Stage and block of a backbone's parameter, both counted from 0.

    A stage's down-sampling belongs to its first block.

    Args:
        name (str): Name inside the backbone.

    Returns:
        tuple[int, int] or None: None outside the blocks.

    Example:
        >>> block_of('layers.11.attn.qkv.weight')
        (0, 11)
        >>> block_of('timm_model.stages_2.blocks.5.mlp.fc1.weight')
        (2, 5)
        >>> block_of('timm_model.stages_1.0.conv.weight')  # StarNet's
        (1, 0)
        >>> block_of('timm_model.stages_1.1.f1.conv.weight')
        (1, 0)
        >>> block_of('ln1.weight')
    """
    match = PLAIN.match(name)
    if match:
        return 0, int(match['block'])
    match = NESTED.match(name)
    if match:
        return int(match['stage']), int(match['block'] or 0)
    match = FLAT.match(name)
    if match:  # its block 0 is the down-sampling
        return int(match['stage']), max(int(match['block']) - 1, 0)
    return None


def layer_ids(names: Sequence[str]) -> Tuple[Dict[str, int], int]:
    """Number the layers of a backbone.

    0 for patch embedding, stem, tokens and positions; 1 to n for the n
    blocks through all stages; n + 1 for what follows them.

    Args:
        names (Sequence[str]): Its parameters.

    Returns:
        tuple: Layer by name, and n.

    Raises:
        ValueError: If no name is that of a block.

    Example:
        >>> layer_ids(['pos_embed', 'layers.0.ln1.bias', 'ln1.bias'])
        ({'pos_embed': 0, 'layers.0.ln1.bias': 1, 'ln1.bias': 2}, 1)
    """
    blocks = {name: block_of(name) for name in names}
    order = sorted(set(blocks.values()) - {None})
    if not order:
        raise ValueError(
            'layer_decay_rate needs blocks to count, but the backbone has '
            f'none that are known by name; its parameters are like '
            f'{list(names)[:3]}. Known are the names of VisionTransformer '
            '(layers.0.) and of timm\'s StarNet and TinyViT (stages_0.); '
            'set layer_decay_rate=1.0 for others')
    ids = {}
    for name, block in blocks.items():
        if block is not None:
            ids[name] = order.index(block) + 1
        else:
            ids[name] = 0 if STEM.match(name) else len(order) + 1
    return ids, len(order)


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class BackboneLayerDecayOptimWrapperConstructor(DefaultOptimWrapperConstructor
                                                ):
    """The parameter groups of pretraining and of every task.

    No weight decay for tensors with at most one axis (biases, norms, layer
    scales) and for those whose name contains one of ``no_decay``. Parameters
    that take no gradient are left out and get no optimiser state.

    With ``layer_decay_rate`` below 1 the earlier layers of a backbone learn
    more slowly. Of n blocks (12 in ViT-Tiny and TinyViT-5M, 16 in StarNet-S3)
    block i has the rate ``lr * layer_decay_rate ** (n - i)``, i from 0; the
    patch embedding or stem ``layer_decay_rate ** (n + 1)``; everything
    outside ``model.backbone``, and a norm after its last block, ``lr``. n is
    counted in the model.

    mmengine's default constructor makes one group a tensor, which takes the
    optimiser's batched update away, and prints a line for each. Adam and
    AdamW get torch's fused update unless the config says ``fused=False``: it
    needs no copies of the moments, which take as much memory as the
    gradients, and one pass instead of ten. Before torch 2.4 it does not know
    CPUs and is not asked for.

    mmpose, mmdet and mmseg have constructors of their own for this, each for
    its own backbones; this one is ``mmpretrain.BackboneLayerDecay...`` in
    all of them.

    Args:
        optim_wrapper_cfg (dict): Config of wrapper and optimiser.
        paramwise_cfg (dict, optional):

            - ``layer_decay_rate`` (float): In (0, 1]. Defaults to 1: the
              same rate everywhere, for any backbone.
            - ``no_decay`` (list[str] | None): Parts of names. None decays
              everything, tensors of one axis as well. Defaults to class and
              mask tokens, positions and attention biases. (DINO decays its
              tokens and positions; the SAIP recipe does not.)
            - ``custom_keys`` (dict): ``lr_mult`` and ``decay_mult`` by part
              of a name, as mmengine has them: of several parts in a name the
              longest counts. They multiply what is said above.

    Raises:
        ValueError: If ``paramwise_cfg`` holds anything else, or the rate is
            below 1 and the model has no backbone with known blocks.

    Source:
        BEiT (Bao et al.), as in ViTPose: for ViT the factors are those of
        mmpose's constructor with ``num_layers=12``.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg=None) -> None:
        cfg = dict(layer_decay_rate=1.0, no_decay=NO_DECAY, custom_keys={})
        cfg.update(paramwise_cfg or {})
        rate = cfg['layer_decay_rate']
        if not 0 < rate <= 1 or set(cfg) != set(SETTINGS):
            raise ValueError(
                f'{type(self).__name__} takes paramwise_cfg=dict('
                'layer_decay_rate=..., no_decay=[...], custom_keys={...}) '
                f'with a rate in (0, 1], got {dict(paramwise_cfg)}; the '
                'number of layers is counted in the model')
        for key, given in cfg['custom_keys'].items():
            if not set(given) <= set(MULTIPLIERS):
                raise ValueError(f"custom_keys['{key}'] takes "
                                 f'{" and ".join(MULTIPLIERS)}, got {given}')
        super().__init__(optim_wrapper_cfg, cfg)
        if (self.optimizer_cfg['type'] in ('Adam', 'AdamW')
                and digit_version(torch.__version__) >= digit_version('2.4')
                and not {'foreach', 'fused'} & set(self.optimizer_cfg)):
            self.optimizer_cfg['fused'] = True

    def add_params(self, params: List[dict], module: nn.Module,
                   **kwargs) -> None:
        """Append one group for each pair of factor and weight decay.

        Args:
            params (list[dict]): Parameter groups, filled in place, that of
                the config's rate first, then the largest: the log shows the
                first one's.
            module (nn.Module): The model.
        """
        factors = self._factors(module)
        exempt = self.paramwise_cfg['no_decay']
        groups = {}
        for name, param in module.named_parameters():
            if param.requires_grad:
                custom = self._custom(name)
                factor = factors.get(name, 1.) * custom.get('lr_mult', 1.)
                decay = custom.get('decay_mult', 1.)
                if exempt is not None and (param.ndim <= 1
                                           or any(key in name
                                                  for key in exempt)):
                    decay = 0.
                groups.setdefault((factor, decay), []).append(param)
        for factor, decay in sorted(
                groups, key=lambda g: (g[0] != 1, -g[0], -g[1])):
            group = dict(
                params=groups[factor, decay], lr=self.base_lr * factor)
            if decay != 1:
                group['weight_decay'] = (self.base_wd or 0.) * decay
            params.append(group)
        least = self.base_lr * min(factors.values(), default=1.)
        layers = f', in the backbone {least:.3g} and more' if factors else ''
        print_log(
            f'learning rate: {self.base_lr:g}{layers}; weight decay: '
            f'{_count(groups, True)} tensors with, {_count(groups, False)} '
            'without', 'current')

    def _custom(self, name: str) -> dict:
        keys = self.paramwise_cfg['custom_keys']
        found = [key for key in keys if key in name]
        return keys[max(found, key=len)] if found else {}

    def _factors(self, module: nn.Module) -> Dict[str, float]:
        rate = self.paramwise_cfg['layer_decay_rate']
        if rate == 1:
            return {}
        if not hasattr(module, 'backbone'):
            raise ValueError(f'layer_decay_rate={rate} needs a backbone, and '
                             f'{type(module).__name__} has none: set it to 1')
        names = [name for name, _ in module.backbone.named_parameters()]
        ids, blocks = layer_ids(names)
        return {
            f'backbone.{name}': rate**(blocks + 1 - layer)
            for name, layer in ids.items()
        }

    def __call__(self, model: nn.Module) -> OptimWrapper:
        """Build optimiser and wrapper for the model."""
        wrapper = super().__call__(model)
        # the first group's rate goes to the log; mmengine's 'base_lr' would
        # miss auto_scale_lr and show a wrong number in every line
        wrapper.base_param_settings = None
        return wrapper


def _count(groups: dict, decayed: bool) -> int:
    return sum(
        len(tensors) for (_, decay), tensors in groups.items()
        if (decay > 0) is decayed)
