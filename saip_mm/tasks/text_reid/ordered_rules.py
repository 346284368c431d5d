"""Learning rates by rules of which the last that fits counts."""
from typing import Dict, List, Sequence, Tuple

from mmengine.logging import print_log
from mmengine.optim import DefaultOptimWrapperConstructor
from torch import nn

from mmpretrain.registry import OPTIM_WRAPPER_CONSTRUCTORS

KEYS = {'name', 'lr_mult', 'decay_mult', 'times'}


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class OrderedRulesConstructor(DefaultOptimWrapperConstructor):
    """Rules in their order: a later one overrides what it names.

    mmengine's ``custom_keys`` take the longest name that fits, alone, which
    cannot say "five times in 'cross', but biases twice, without decay,
    wherever they are".

    Parameters of one rate and decay are a group, so that optimisers update
    them together.

    Args:
        optim_wrapper_cfg (dict): Config of wrapper and optimiser.
        paramwise_cfg (dict): ``rules``, a list of ``dict(name=PART_OF_A_NAME,
            lr_mult=..., decay_mult=..., times=...)``: a factor of the rate
            and one of the decay, which stay as they are where left out, and
            one by which the rate is multiplied at the end, whatever other
            rules say.

    Raises:
        ValueError: If a rule has no name, or something else in it.

    Source:
        The law of IRRA's optimiser.
    """

    def __init__(self, optim_wrapper_cfg: dict, paramwise_cfg=None) -> None:
        paramwise_cfg = dict(paramwise_cfg or dict(rules=[]))
        rules = paramwise_cfg.get('rules')
        if set(paramwise_cfg) != {'rules'}:
            raise ValueError(f'{type(self).__name__} takes paramwise_cfg=dict('
                             f'rules=[...]), got {paramwise_cfg}')
        for rule in rules:
            if 'name' not in rule or not set(rule) <= KEYS:
                raise ValueError(f'a rule has a name and some of lr_mult, '
                                 f'decay_mult and times, got {dict(rule)}')
        super().__init__(optim_wrapper_cfg, paramwise_cfg)

    def add_params(self, params: List[dict], module: nn.Module,
                   **kwargs) -> None:
        """Append one group for each pair of rate and decay.

        Args:
            params (list[dict]): Parameter groups, filled in place, the base
                rate first: the log shows the first one's.
            module (nn.Module): The model.
        """
        rules, groups = self.paramwise_cfg['rules'], {}
        named = [(n, p) for n, p in module.named_parameters()
                 if p.requires_grad]
        idle = [
            rule['name'] for rule in rules
            if not any(rule['name'] in name for name, _ in named)
        ]
        for name, param in named:
            groups.setdefault(factors(name, rules), []).append(param)
        order = sorted(groups, key=lambda g: (g != (1., 1.), g))
        for rate, decay in order:
            params.append(
                dict(
                    params=groups[rate, decay],
                    lr=self.base_lr * rate,
                    weight_decay=(self.base_wd or 0.) * decay))
        shown = ', '.join(f'{self.base_lr * rate:.3g} '
                          f'({len(groups[rate, decay])} tensors, decay '
                          f'{(self.base_wd or 0.) * decay:.3g})'
                          for rate, decay in order)
        print_log(f'learning rates: {shown}', 'current')
        if idle:
            print_log(f'rules that fit no parameter: {", ".join(idle)}',
                      'current')


def factors(name: str, rules: Sequence[Dict]) -> Tuple[float, float]:
    """Factors of rate and decay of a parameter.

    Example:
        >>> rules = [dict(name='cross', lr_mult=5),
        ...          dict(name='bias', lr_mult=2, decay_mult=0)]
        >>> factors('cross.weight', rules), factors('cross.bias', rules)
        ((5.0, 1.0), (2.0, 0.0))
    """
    rate, decay, times = 1., 1., 1.
    for rule in rules:
        if rule['name'] in name:
            rate = float(rule.get('lr_mult', rate))
            decay = float(rule.get('decay_mult', decay))
            times *= rule.get('times', 1.)
    return rate * times, decay
