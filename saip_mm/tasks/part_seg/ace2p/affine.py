"""A picture fitted into a crop of one size, and a parsing brought back."""
from typing import Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS
from torch import Tensor

from ..label_set import IGNORED

Size = Tuple[int, int]
# of a sample that was fitted: how, and into which size
CROP_KEYS = ('crop_matrix', 'crop_shape')


def fit_matrix(shape: Size,
               crop: Size,
               scale: float = 1.,
               degrees: float = 0.) -> np.ndarray:
    """Affine map that fits a whole picture into the middle of a crop.

    Args:
        shape (tuple[int, int]): Height and width of the picture.
        crop (tuple[int, int]): Of the crop.
        scale (float): How much larger than the picture the region is that
            fills the crop: 1 fits it exactly along one side. Defaults to 1.
        degrees (float): Turns the picture clockwise. Defaults to 0.

    Returns:
        np.ndarray: ``(2, 3)`` float64, from indices x, y of the picture's
        pixels to those of the crop's, centres at whole numbers.

    Example:
        >>> fit_matrix((4, 2), (8, 8))  # twice as large, 2 pixels at a side
        array([[ 2. , -0. ,  2.5],
               [ 0. ,  2. ,  0.5]])
    """
    (height, width), (rows, columns) = shape, crop
    factor = min(rows / height, columns / width) / scale
    angle = np.deg2rad(degrees)
    turn = factor * np.array([[np.cos(angle), -np.sin(angle)],
                              [np.sin(angle), np.cos(angle)]])
    middle, target = (np.array([w - 1, h - 1]) / 2 for h, w in (shape, crop))
    return np.concatenate([turn, (target - turn @ middle)[:, None]], 1)


def bring_back(parts: Tensor, matrix: np.ndarray, shape: Size) -> Tensor:
    """A crop's classes in the pixels of its picture, the nearest each.

    Args:
        parts (Tensor): ``(..., h, w)``.
        matrix (np.ndarray): ``(2, 3)`` of :func:`fit_matrix`.
        shape (tuple[int, int]): Height and width of the picture. What lies
            outside of the crop gets the class of its border.

    Returns:
        Tensor: ``(..., H, W)``
    """
    rows, columns = parts.shape[-2:]
    y, x = torch.meshgrid(
        *(torch.arange(side, dtype=torch.float64) for side in shape),
        indexing='ij')
    (a, b, c), (d, e, f) = np.asarray(matrix).tolist()
    column = (a * x + b * y + c).round().long().clamp(0, columns - 1)
    row = (d * x + e * y + f).round().long().clamp(0, rows - 1)
    return parts[..., row.to(parts.device), column.to(parts.device)]


@TRANSFORMS.register_module()
class WholePictureAffine(BaseTransform):
    """Fits the whole picture, aspect kept, into a crop of one size.

    What the picture does not fill is black and, in the label, ignored. A
    label that is loaded later stays at the picture's size, as in tests.

    Required keys: ``img``, optional ``gt_seg_map``. Changed besides:
    ``img_shape``. Added: ``crop_matrix`` (``(2, 3)``, see
    :func:`fit_matrix`) and ``crop_shape``.

    Args:
        size (tuple[int, int]): Height and width of the crop.
        scale_sigma (float): The region that fills the crop is larger than
            the picture by a factor drawn from N(1, ``scale_sigma``)...
            Defaults to 0, no draw.
        scale_range (tuple[float, float], optional): ...and clipped to this.
            Defaults to None, one sigma on either side.
        rotation_sigma (float): Degrees of N(0, ``rotation_sigma``), clipped
            to twice as much. Defaults to 0.
        rotation_prob (float): How often. Defaults to 1.

    Raises:
        ValueError: If a size, a scale or a probability is impossible.

    Source:
        SAIP's authors have 0.25, 0.75 to 1.25, 30 and 0.6. Centres of pixels
        stay centres here.
    """

    def __init__(self,
                 size: Size,
                 scale_sigma: float = 0.,
                 scale_range: Optional[Tuple[float, float]] = None,
                 rotation_sigma: float = 0.,
                 rotation_prob: float = 1.) -> None:
        if len(size) != 2 or min(size) < 1:
            raise ValueError(f'size is {size}: give height and width')
        self.size = tuple(int(side) for side in size)
        self.scale_sigma = scale_sigma
        self.scale_range = scale_range or (1 - scale_sigma, 1 + scale_sigma)
        low, high = self.scale_range
        if not 0 < low <= high:
            raise ValueError(f'scales from {low} to {high} are drawn: they '
                             'must be positive, and ascend')
        if not 0 <= rotation_prob <= 1:
            raise ValueError(f'rotation_prob is {rotation_prob}: it is a '
                             'probability, 0 to 1')
        self.rotation_sigma = rotation_sigma
        self.rotation_prob = rotation_prob

    def _draw(self) -> Tuple[float, float]:
        scale = 1 + self.scale_sigma * np.random.randn()
        degrees = self.rotation_sigma * np.random.randn()
        limit = 2 * self.rotation_sigma
        turned = np.random.rand() < self.rotation_prob
        return (float(np.clip(scale, *self.scale_range)),
                float(np.clip(degrees, -limit, limit)) * turned)

    def transform(self, results: dict) -> dict:
        """Fit picture and label."""
        shape = results['img'].shape[:2]
        matrix = fit_matrix(shape, self.size, *self._draw())
        results['img'] = self._warp(results['img'], matrix, cv2.INTER_LINEAR,
                                    (0, 0, 0))
        for key in results.get('seg_fields', ()):
            results[key] = self._warp(results[key], matrix, cv2.INTER_NEAREST,
                                      IGNORED)
        results.update(
            img_shape=self.size,
            pad_shape=self.size,
            crop_matrix=matrix,
            crop_shape=self.size)
        return results

    def _warp(self, image: np.ndarray, matrix: np.ndarray, flags: int,
              border) -> np.ndarray:
        return cv2.warpAffine(
            image,
            matrix,
            self.size[::-1],
            flags=flags,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=border)


@TRANSFORMS.register_module()
class PackPartInputs(PackSegInputs):
    """``PackSegInputs`` that hands on how the picture was fitted.

    Args:
        meta_keys (Sequence[str]): Keys besides. Defaults to mmseg's.
    """

    def __init__(
        self,
        meta_keys: Sequence[str] = ('img_path', 'seg_map_path', 'ori_shape',
                                    'img_shape', 'pad_shape', 'scale_factor',
                                    'flip', 'flip_direction')
    ) -> None:
        super().__init__(meta_keys=(*meta_keys, *CROP_KEYS))
