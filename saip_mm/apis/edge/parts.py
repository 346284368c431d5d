"""What an ONNX file is made of: a network, its inputs, what they mean."""
import math
from typing import Callable, Dict, List, NamedTuple, Tuple

import torch
from torch import Tensor, nn

from saip_mm.models.backbones import GridVisionTransformer

Size = Tuple[int, int]
BATCH = 2  # torch.export takes a side of 1 for a constant
IMAGES = 'normalised pictures'


class Part(NamedTuple):
    """One ONNX file of a model.

    Attributes:
        suffix (str): Behind the file's stem; '' for the only or first one.
        network (nn.Module): Takes the inputs in order, in eval mode.
        inputs (dict[str, Tensor]): Examples by name.
        meanings (dict[str, str]): Of inputs and outputs; the outputs' names
            in their order.
        caller (str): What to do with the outputs.
        notes (dict): Further entries of the sidecar, plain values.
    """
    suffix: str
    network: nn.Module
    inputs: Dict[str, Tensor]
    meanings: Dict[str, str]
    caller: str
    notes: dict = {}

    @property
    def outputs(self) -> List[str]:
        """Names of what the network returns."""
        return [name for name in self.meanings if name not in self.inputs]


class Calls(nn.Module):
    """A function of a model and tensors as a module.

    Args:
        model (nn.Module): Whose weights are used.
        function (Callable): Takes the model, then the inputs.
    """

    def __init__(self, model: nn.Module, function: Callable) -> None:
        super().__init__()
        self.model = model
        self.function = function

    def forward(self, *inputs: Tensor):
        """What the function returns."""
        return self.function(self.model, *inputs)


def example(size: Size, batch: int = BATCH) -> Tensor:
    """Normalised pictures ``(batch, 3, H, W)`` of noise, the same each
    time."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 3, *size, generator=generator)


def stride_of(size: Size, maps: Tensor) -> int:
    """How many pixels a cell of a map stands for.

    Where it does not divide the sides it is taken for a power of 2, and the
    sides to be rounded up.

    Example:
        >>> stride_of((100, 40), torch.zeros(1, 8, 7, 3))
        16
        >>> stride_of((224, 98), torch.zeros(1, 8, 16, 7))
        14
    """
    cells = tuple(maps.shape[-2:])
    stride = size[0] // cells[0]
    if (stride * cells[0], stride * cells[1]) == tuple(size):
        return stride
    powers = [2**n for n in range(1, 8)]
    fitting = [p for p in powers if tuple(-(-x // p) for x in size) == cells]
    return (fitting or [2**round(math.log2(size[0] / cells[0]))])[0]


def is_a(thing: object, *names: str) -> bool:
    """Whether it is of a class of such a name, or of a subclass.

    By name, so that no task's library is imported here.

    Example:
        >>> is_a(nn.Linear(1, 1), 'Module'), is_a(nn.Linear(1, 1), 'Conv2d')
        (True, False)
    """
    return any(cls.__name__ in names for cls in type(thing).__mro__)


def fold_positions(model: nn.Module, size: Size) -> None:
    """Resize the positions of plain transformers once, for one input size.

    Args:
        model (nn.Module): Changed in place, and at home in this size then.
        size (tuple[int, int]): Height and width, multiples of the patch.

    Raises:
        ValueError: If a patch does not divide them.
    """
    for module in model.modules():
        if not isinstance(module, GridVisionTransformer):
            continue
        convolution = module.patch_embed.projection
        patch = convolution.stride
        overlaps = tuple(convolution.kernel_size) != tuple(patch)
        if not overlaps and (size[0] % patch[0] or size[1] % patch[1]):
            raise ValueError(
                f'size {size[0]}x{size[1]} is no multiple of the '
                f'{patch[0]}x{patch[1]} patch: choose another --size')
        with torch.no_grad():
            grid = tuple(module.patch_embed(example(size, 1))[1])
        table = module.resize_pos_embed(module.pos_embed.detach(),
                                        tuple(module.patch_resolution), grid,
                                        module.interpolate_mode,
                                        module.num_extra_tokens)
        module.pos_embed = nn.Parameter(table, requires_grad=False)
        module.patch_resolution = grid
        module.pos_grid = torch.tensor(grid)
