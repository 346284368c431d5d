import copy
from typing import Dict, List, Mapping, Sequence, Tuple

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..encoders import Encoder
from ..tokens import TokenDims

Averaged = Mapping[str, Mapping[str, nn.Module]]


class Expert(nn.Module):
    """Base of the target providers: in eval mode, never a gradient.

    Besides an encoder it holds moving averages of what heads name in
    ``averaged()``, as submodules of the same names.
    """

    def __init__(self) -> None:
        super().__init__()
        # own name of each average: head, and its name there
        self.sources: Dict[str, Tuple[str, str]] = {}
        self.register_buffer('updates', torch.tensor(0))

    @property
    def averages_encoder(self) -> bool:
        """Whether its encoder follows the student's."""
        return False

    @property
    def trainable_average(self) -> bool:
        """Whether anything of it follows the student."""
        return self.averages_encoder or bool(self.sources)

    def dims_for(self, encoder: Encoder) -> TokenDims:
        """Widths of its tokens beside a student's encoder."""
        raise NotImplementedError

    def take_statistics(self, mean: Sequence[float],
                        std: Sequence[float]) -> None:
        """Learn how views are normalised; an average expects just that.

        Args:
            mean (Sequence[float]): RGB, 0-255.
            std (Sequence[float]): Likewise.
        """

    def follow(self, encoder: Encoder, averaged: Averaged) -> None:
        """Take what is to be averaged; the copies start equal to it.

        Args:
            encoder (Encoder): The student's.
            averaged (dict[str, dict[str, nn.Module]]): Modules by head and
                name.
        """
        for head, modules in averaged.items():
            for name, module in modules.items():
                own = name
                while hasattr(self, own):
                    own = f'{head}_{own}'
                self.sources[own] = (head, name)
                setattr(self, own, copy.deepcopy(module))
        self.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, _BatchNorm):
                # the batch's statistics must not enter the averaged ones:
                # some batches are masked, some are canvases
                module.momentum = 0.
        self.train()

    def averages_of(self, head: str) -> Dict[str, nn.Module]:
        """A head's averaged modules, by its own names of them."""
        return {
            name: getattr(self, own)
            for own, (source, name) in self.sources.items() if source == head
        }

    def pairs(self, model: nn.Module) -> List[Tuple[nn.Module, nn.Module]]:
        """Averages and what they follow in the model."""
        return [(getattr(self, own), model.heads[head].averaged()[name])
                for own, (head, name) in self.sources.items()]

    @torch.no_grad()
    def update(self, model: nn.Module, momentum: float) -> None:
        """Average once with the student; call after each optimiser step.

        Args:
            model (nn.Module): Holds ``encoder`` and ``heads``.
            momentum (float): Weight of the old value in [0, 1]; 0 copies.
        """
        params, buffers = ([], []), ([], [])
        for mine, theirs in self.pairs(model):
            theirs = theirs.state_dict(keep_vars=True)
            for name, value in mine.state_dict(keep_vars=True).items():
                if not value.is_floating_point():
                    value.copy_(theirs[name])
                    continue
                kind = params if isinstance(value, nn.Parameter) else buffers
                kind[0].append(value.data)
                kind[1].append(theirs[name].data)
        if params[0]:
            torch._foreach_lerp_(*params, 1 - momentum)
        if buffers[0]:
            done = int(self.updates)
            torch._foreach_lerp_(*buffers,
                                 1 - min(momentum, done / (done + 10)))
        self.updates += 1
        # timm's TinyViT caches its attention bias in eval mode, and only a
        # change of mode clears it: without this the expert keeps the old one
        self.train()

    def train(self, mode: bool = True) -> 'Expert':
        """Stay in eval mode: no drop path, BatchNorm by its buffers."""
        return super().train(False)
