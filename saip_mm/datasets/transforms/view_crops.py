"""The worker's share of the views: uint8 crops of one person image."""
from typing import Dict, NamedTuple, Optional, Tuple

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmpretrain.registry import TRANSFORMS
from .keypoints import crop_keypoints
from .resize import resize_crop

TRIES = 10  # torchvision.transforms.RandomResizedCrop


class View(NamedTuple):
    """Law of one crop: sizes in pixels, area as a share of the image."""
    name: str
    size: Tuple[int, int]
    area: Tuple[float, float]
    aspect: Tuple[float, float]  # width / height


class CropLaws:
    """Draw the boxes of several views in one go.

    The law is that of ``torchvision.transforms.RandomResizedCrop``: up to
    10 tries of an area (uniform) and an aspect (log-uniform), the first
    that fits is placed uniformly, else the largest central box whose
    aspect is in range. All views' numbers come from a single call of the
    generator, whatever is rejected, so the stream stays aligned.

    Args:
        views (list[View]): Their laws.
    """

    def __init__(self, views) -> None:
        area = np.array([v.area for v in views], np.float64)
        self.aspect = np.array([v.aspect for v in views], np.float64)
        log = np.log(self.aspect)
        self.low = np.stack([area[:, 0], log[:, 0]])[..., None]  # (2, V, 1)
        self.span = np.stack([area[:, 1], log[:, 1]])[..., None] - self.low
        self.numbers = len(views) * (2 * TRIES + 3)
        self.rows = np.arange(len(views))

    def __call__(self, rng: np.random.Generator, height: int,
                 width: int) -> Tuple[list, list]:
        """Draw one box and one flip number a view.

        Args:
            rng (np.random.Generator): Source of all numbers.
            height (int): Height of the image, in pixels.
            width (int): Width of the image, in pixels.

        Returns:
            tuple[list, list]: Boxes ``[top, left, height, width]`` in
            pixels and flip numbers in [0, 1), one a view.
        """
        count = len(self.rows)
        drawn = rng.random(self.numbers)
        tries = drawn[:2 * TRIES * count].reshape(2, count, TRIES)
        place = drawn[2 * TRIES * count:].reshape(3, count)
        area, aspect = tries * self.span + self.low
        area *= height * width
        aspect = np.exp(aspect)
        h = np.rint(np.sqrt(area / aspect))
        w = np.rint(np.sqrt(area * aspect))
        fits = (h <= height) & (w <= width) & (h > 0) & (w > 0)
        first = fits.argmax(1)
        h, w = h[self.rows, first], w[self.rows, first]
        top = np.floor(place[0] * (height - h + 1))
        left = np.floor(place[1] * (width - w + 1))
        boxes = np.stack([top, left, h, w], 1).astype(np.int64).tolist()
        for i in np.flatnonzero(~fits[self.rows, first]).tolist():
            boxes[i] = self._central(height, width, *self.aspect[i].tolist())
        return boxes, place[2].tolist()

    @staticmethod
    def _central(height: int, width: int, low: float, high: float) -> list:
        h, w = height, width
        if width / height < low:
            h = max(1, round(width / low))
        elif width / height > high:
            w = max(1, round(height * high))
        return [(height - h) // 2, (width - w) // 2, h, w]


class _Points:
    """Keypoints of one image, where there are any, and of its views."""

    def __init__(self, points: Optional[np.ndarray], size: Tuple[int,
                                                                 int]) -> None:
        self.image, self.size = points, size
        self.views: Dict[str, torch.Tensor] = {}

    def follow(self, name: str, box: list, size: Tuple[int, int],
               flipped: bool) -> None:
        """Note a view's, if it is one whose colours stay or the anchor."""
        if self.image is not None and name in ('anchor', 'clean'):
            self.views[name] = torch.from_numpy(
                crop_keypoints(self.image, self.size, box, size, flipped))


@TRANSFORMS.register_module()
class PersonCrops(BaseTransform):
    """Cut all views of one person image, as uint8.

    Views, each with its own box and its own flip: ``anchor``, ``scale_1``
    .. ``scale_N`` (same law; the device resizes them to s_t), ``local_1``
    .. and ``background``, which the device puts behind the persons of
    *another* image of the batch; on demand ``clean``, a crop whose colours
    stay (else the anchor serves). Photometric changes are the device's.

    Required keys: ``img`` (``(H, W, 3)`` uint8 RGB), ``rng``
    (np.random.Generator, the only source of randomness), ``key``. With
    ``background_img``, likewise, the background is cut from that one and
    named ``background_other``: it stays with its sample. ``keypoints``
    (``(17, 3)`` in the image's pixels, a score of 0 for unknown ones) follow
    the crops of ``anchor`` and ``clean``, see :func:`crop_keypoints`.

    Returned: ``dict(inputs={view name: uint8 tensor (3, h, w)}, key=str)``,
    and with keypoints ``keypoints={view name: float32 tensor (17, 3)}``.
    The tensors are channels-last in memory: nothing is copied after the
    resize.

    Args:
        size (tuple[int, int]): Height and width of the anchor and of the
            scales, in pixels. Defaults to (256, 128).
        num_scales (int): N, the number of multi-resolution views, at
            least 0. Defaults to 2.
        num_locals (int): Number of local crops, at least 0. Defaults to 6.
        local_size (tuple[int, int]): Defaults to (128, 64).
        background_size (tuple[int, int], optional): None leaves the
            background out. Defaults to (256, 256).
        area (tuple[float, float]): Share of the image's area, of anchor and
            scales. Defaults to (0.8, 1.0).
        local_area (tuple[float, float]): Defaults to (0.05, 0.8).
        background_area (tuple[float, float]): Defaults to (0.2, 1.0).
        aspect (tuple[float, float]): Width / height of persons' crops.
            Defaults to (0.4, 0.6).
        background_aspect (tuple[float, float]): Defaults to (3/4, 4/3).
        flip (float): Probability of a horizontal flip, a view. Defaults to
            0.5.
        patch_size (int): All sizes must be its multiples. Defaults to 16.
        scales_from (str): What the multi-resolution views are resized from.
            'crops' of their own (ours, as DINO's global views; the default)
            or the 'anchor', the same box and flip for all (paper 3.2, which
            resizes the anchor image). Colours are drawn for each view in
            either case.
        clean_area (tuple[float, float], optional): Share of the image's area
            of a ``clean`` crop of its own. Defaults to None: the anchor's.
        clean_aspect (tuple[float, float]): Its width / height. Defaults to
            (0.375, 0.667), half of MAE's, as HAP's code has it.

    Raises:
        ValueError: If a size is no multiple of the patch, a range is not
            ordered, a count or probability is out of range, or
            ``scales_from`` is unknown.

    Source:
        Paper 4.2 and the authors' release; spec of the views: README.
        Interpolation departs from Pillow's, see :func:`resize_crop`.
    """

    def __init__(
        self,
        size: Tuple[int, int] = (256, 128),
        num_scales: int = 2,
        num_locals: int = 6,
        local_size: Tuple[int, int] = (128, 64),
        background_size: Optional[Tuple[int, int]] = (256, 256),
        area: Tuple[float, float] = (0.8, 1.0),
        local_area: Tuple[float, float] = (0.05, 0.8),
        background_area: Tuple[float, float] = (0.2, 1.0),
        aspect: Tuple[float, float] = (0.4, 0.6),
        background_aspect: Tuple[float, float] = (3 / 4, 4 / 3),
        flip: float = 0.5,
        patch_size: int = 16,
        scales_from: str = 'crops',
        clean_area: Optional[Tuple[float, float]] = None,
        clean_aspect: Tuple[float, float] = (0.375, 0.667)
    ) -> None:
        if scales_from not in ('crops', 'anchor'):
            raise ValueError(f"scales_from '{scales_from}' is unknown: use "
                             "'crops' or 'anchor'")
        if num_scales < 0 or num_locals < 0:
            raise ValueError('num_scales and num_locals must be at least 0, '
                             f'got {num_scales} and {num_locals}')
        if not 0 <= flip <= 1:
            raise ValueError(f'flip is a probability, got {flip}')
        self.flip = flip
        scales = [f'scale_{t + 1}' for t in range(num_scales)]
        self.resized_anchors = scales if scales_from == 'anchor' else []
        cut = scales if scales_from == 'crops' else []
        views = [View(n, size, area, aspect) for n in ['anchor'] + cut]
        views += [
            View(f'local_{i + 1}', local_size, local_area, aspect)
            for i in range(num_locals)
        ]
        if clean_area is not None:
            views.append(View('clean', size, clean_area, clean_aspect))
        if background_size is not None:
            views.append(
                View('background', background_size, background_area,
                     background_aspect))
        for view in views:
            self._check(view, patch_size)
        self.views = views
        self.laws = CropLaws(views)
        self.with_background = background_size is not None
        if self.with_background:  # cut from two images
            self.laws_apart = CropLaws(views[:-1]), CropLaws(views[-1:])
        # One buffer a sample; a view is a contiguous stretch of it.
        ends = np.cumsum([3 * v.size[0] * v.size[1] for v in views]).tolist()
        self.total = ends[-1]
        self.slots = [(v.name, slice(a, b), (*v.size, 3))
                      for v, a, b in zip(views, [0] + ends, ends)]

    @staticmethod
    def _check(view: View, patch: int) -> None:
        if any(side < patch or side % patch for side in view.size):
            raise ValueError(
                f'{view.name}: size {tuple(view.size)} (height, width) is '
                f'not divisible by the patch size {patch}; choose multiples '
                f'of {patch} or set patch_size')
        if not 0 < view.area[0] <= view.area[1] <= 1:
            raise ValueError(f'{view.name}: area must be an ordered range '
                             f'within (0, 1], got {view.area}')
        if not 0 < view.aspect[0] <= view.aspect[1]:
            raise ValueError(f'{view.name}: aspect must be an ordered range '
                             f'of positive numbers, got {view.aspect}')

    def transform(self, results: dict) -> Dict:
        image, rng = results['img'], results['rng']
        other = results.get('background_img')
        buffer = np.empty(self.total, np.uint8)
        points = _Points(results.get('keypoints'), image.shape[:2])
        if other is None:
            inputs = self._cut(image, rng, self.laws, self.slots, buffer,
                               points)
        elif self.with_background:
            persons, behind = self.laws_apart
            inputs = self._cut(image, rng, persons, self.slots[:-1], buffer,
                               points)
            views = self._cut(other, rng, behind, self.slots[-1:], buffer)
            inputs['background_other'] = views['background']
        else:
            raise ValueError(
                'the data set draws background images, but PersonCrops has '
                'background_size=None: set it, or leave background out of '
                'PersonImages')
        inputs.update(dict.fromkeys(self.resized_anchors, inputs['anchor']))
        sample = dict(inputs=inputs, key=results['key'])
        if points.image is not None:
            sample['keypoints'] = points.views
        return sample

    def _cut(self,
             image: np.ndarray,
             rng: np.random.Generator,
             laws: CropLaws,
             slots: list,
             buffer: np.ndarray,
             points: Optional['_Points'] = None) -> Dict[str, torch.Tensor]:
        """Views of one image, by name, written to their part of the buffer."""
        boxes, flips = laws(rng, *image.shape[:2])
        levels, views = [image], {}
        for (name, part, shape), box, number in zip(slots, boxes, flips):
            out = buffer[part].reshape(shape)
            resize_crop(levels, box, out)
            if number < self.flip:
                cv2.flip(out, 1, dst=out)
            views[name] = torch.from_numpy(out).permute(2, 0, 1)
            if points is not None:
                points.follow(name, box, shape[:2], number < self.flip)
        return views

    def __repr__(self) -> str:
        names = ', '.join([v.name for v in self.views] +
                          [f'{n} = anchor' for n in self.resized_anchors])
        return f'{type(self).__name__}({names}, flip={self.flip})'
