"""Normalise on the device, then erase a box."""
import math
from typing import Optional, Tuple

import torch
from torch import Tensor

from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.registry import MODELS

Box = Tuple[int, int, int, int]
TRIALS = 10


def draw_box(size: Tuple[int, int], area: Tuple[float, float],
             aspect: Tuple[float, float]) -> Optional[Box]:
    """Draw a box inside a picture by torch's global generator.

    Args:
        size (tuple[int, int]): Height and width of the picture, in pixels.
        area (tuple[float, float]): Range of its share of the picture.
        aspect (tuple[float, float]): Range of height over width, drawn in
            the logarithm.

    Returns:
        tuple[int, int, int, int] or None: Top, left, height, width; None if
        ten draws gave none that is smaller than the picture.
    """
    height, width = size
    low, high = map(math.log, aspect)
    draws = torch.rand(TRIALS, 4, dtype=torch.float64).tolist()
    for share, ratio, down, right in draws:
        pixels = (area[0] + share * (area[1] - area[0])) * height * width
        ratio = math.exp(low + ratio * (high - low))
        h, w = round(math.sqrt(pixels * ratio)), round(
            math.sqrt(pixels / ratio))
        if h < height and w < width:
            return (int(down * (height - h + 1)), int(right * (width - w + 1)),
                    h, w)
    return None


@MODELS.register_module()
class PersonPreprocessor(ClsDataPreprocessor):
    """``ClsDataPreprocessor`` that erases, in training, a box of a picture.

    Erased is what is normalised, with noise of N(0, 1) in each pixel and
    channel; mmpretrain's ``RandomErasing`` fills before, and cuts the noise
    off at black and white.

    Args:
        erase_prob (float): Of a picture to be erased. Defaults to 0.5.
        erase_area (tuple[float, float]): Range of the box's share of the
            picture. Defaults to (0.02, 1 / 3).
        erase_aspect (tuple[float, float]): Range of its height over width.
            Defaults to (0.3, 1 / 0.3).
        **kwargs: Of ``ClsDataPreprocessor``; ``mean`` and ``std`` of RGB from
            0 to 255.

    Raises:
        ValueError: If a range or the probability cannot be.

    Source:
        Zhong et al., Random Erasing Data Augmentation, 2017; law as in
        timm's 'pixel' mode, which TransReID takes.
    """

    def __init__(self,
                 erase_prob: float = 0.5,
                 erase_area: Tuple[float, float] = (0.02, 1 / 3),
                 erase_aspect: Tuple[float, float] = (0.3, 1 / 0.3),
                 **kwargs) -> None:
        super().__init__(**kwargs)
        if not (0 <= erase_prob <= 1
                and 0 < erase_area[0] <= erase_area[1] <= 1
                and 0 < erase_aspect[0] <= erase_aspect[1]):
            raise ValueError(
                'erase_prob lies in [0, 1], erase_area and erase_aspect are '
                f'ranges above 0, got {erase_prob}, {erase_area} and '
                f'{erase_aspect}')
        self.erase_prob = erase_prob
        self.erase_area = tuple(erase_area)
        self.erase_aspect = tuple(erase_aspect)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Normalised pictures ``(B, 3, H, W)`` and their samples."""
        data = super().forward(data, training)
        if training and self.erase_prob:
            self._erase(data['inputs'])
        return data

    def _erase(self, images: Tensor) -> None:
        """In place."""
        chosen = torch.rand(len(images)) < self.erase_prob
        for index in chosen.nonzero().flatten().tolist():
            box = draw_box(images.shape[-2:], self.erase_area,
                           self.erase_aspect)
            if box is not None:
                top, left, h, w = box
                images[index, :, top:top + h, left:left + w].normal_()
