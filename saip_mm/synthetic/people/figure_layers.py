"""From a projected person to the shapes it is painted with."""
from typing import List

from .carried import carried_layers
from .clothes import lower_layers, upper_layers
from .figure import Figure
from .head import head_layers
from .layers import Layer
from .limbs import arm_layers, leg_layers


def figure_layers(figure: Figure) -> List[Layer]:
    """All shapes of a person, the farthest first.

    Args:
        figure (Figure): The projected person.

    Returns:
        list[Layer]: In painting order. What shares a depth keeps the order
        in which it was made: a sleeve comes after its arm.
    """
    layers = []
    for side in ('left', 'right'):
        layers += leg_layers(figure, side)
        layers += arm_layers(figure, side)
    layers += lower_layers(figure) + upper_layers(figure)
    layers += head_layers(figure) + carried_layers(figure)
    return sorted(layers, key=lambda layer: layer.depth)
