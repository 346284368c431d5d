import math
import warnings
from typing import Dict, List, Optional, Sequence, Set, Tuple

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmpretrain.registry import MODELS
from ..shared_draws import shared_index
from ..view_ops import (apply_colour, channel_means, draw_colour,
                        gaussian_blur_, halve, normalising_maps, paste_persons,
                        place_persons, resize_crops, solarize_)
from .views import VIEW_KINDS, Views

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PASTED = 'pasted_'  # before a scale's name: its second draw, on the canvas


def scaled(size: Tuple[int, int], scale: float) -> Tuple[int, int]:
    """Height and width of a view at scale s_t, in whole pixels."""
    height, width = (round(scale * side) for side in size)
    return height, width


@MODELS.register_module()
class PersonViewPreprocessor(BaseDataPreprocessor):
    """Make the views of uint8 crops, batched on the training device.

    Workers only decode and cut; resizing to the drawn scale, colour, blur,
    solarization, the multi-person canvas and normalisation happen here, with
    one draw an image (see :mod:`saip_mm.models.view_ops`).

    Args:
        scale_range (tuple[float, float]): s_t of the multi-resolution views,
            relative to the anchor. Defaults to (0.75, 1.5), paper 3.2.
        canvas (dict): ``size`` (H, W) of the multi-person image, ``factor``
            by which persons shrink on it, ``alpha`` of the blend, number of
            ``distractors``, and ``photometry`` of the persons on it:
            'shared' with the views that search for them, which are pasted
            as they are (paper 3.2), or their 'own', a second draw for the
            same crops, so that colours alone do not give the place away.
            Defaults: (256, 256) and 1 distractor (ours), factor 0.5 and
            alpha 0.7 (the authors' release), 'shared'.
        blur (dict[str, float]): Blur probability by kind of view: 'anchor',
            'scale', 'local', 'background', and 'pasted' where persons on the
            canvas have their own; the last defaults to that of scales.
        solarize (dict[str, float]): Solarization probability, likewise.
        jitter (Sequence[float]): Brightness, contrast, saturation, hue.
        jitter_prob (float): Defaults to 0.8.
        gray_prob (float): Defaults to 0.2.
        sigma (tuple[float, float]): Range of the blur, in pixels.
        mean (Sequence[float]): In 0-255. Defaults to ImageNet's. Experts,
            monitors and published files take them from here.
        std (Sequence[float]): In 0-255. Defaults to ImageNet's.

    Raises:
        ValueError: If no scale of the range gives sides divisible by the
            cell of the encoders, the canvas is no multiple of it or too small
            for the persons, or its photometry is unknown.

    Source:
        Paper 3.2; probabilities as DINO's two global and local crops.
    """
    known_kinds = VIEW_KINDS

    def __init__(self,
                 scale_range: Tuple[float, float] = (0.75, 1.5),
                 canvas: Optional[dict] = None,
                 blur: Optional[dict] = None,
                 solarize: Optional[dict] = None,
                 jitter: Sequence[float] = (0.4, 0.4, 0.2, 0.1),
                 jitter_prob: float = 0.8,
                 gray_prob: float = 0.2,
                 sigma: Tuple[float, float] = (0.1, 2.0),
                 mean: Sequence[float] = tuple(255 * m for m in IMAGENET_MEAN),
                 std: Sequence[float] = tuple(255 * s for s in IMAGENET_STD),
                 non_blocking: bool = True) -> None:
        super().__init__(non_blocking=non_blocking)
        self.scale_range = scale_range
        self.canvas = dict(
            size=(256, 256),
            factor=0.5,
            alpha=0.7,
            distractors=1,
            photometry='shared')
        self.canvas.update(canvas or {})
        self.blur = dict(anchor=1.0, scale=0.1, local=0.5, background=0.1)
        self.blur.update(blur or {})
        self.solarize = dict(scale=0.2, background=0.2)
        self.solarize.update(solarize or {})
        for law in (self.blur, self.solarize):
            law.setdefault('pasted', law['scale'])
        self.colour = dict(
            jitter=jitter, jitter_prob=jitter_prob, gray_prob=gray_prob)
        self.sigma = sigma
        self.mean = tuple(m / 255 for m in mean)
        self.std = tuple(s / 255 for s in std)
        self.kinds = {'anchor', 'scale', 'local', 'canvas'}
        self.cell = 16
        if self.canvas['photometry'] not in ('shared', 'own'):
            raise ValueError(
                f"canvas photometry '{self.canvas['photometry']}' is unknown: "
                "use 'shared' or 'own'")

    def restrict(self, kinds: Set[str]) -> None:
        """Make only the kinds of views the objectives ask for.

        Args:
            kinds (set[str]): Of 'anchor', 'scale', 'local', 'clean',
                'canvas'.

        Raises:
            ValueError: If there is another one.
        """
        unknown = sorted(set(kinds) - set(self.known_kinds))
        if unknown:
            raise ValueError(f'views of kinds {unknown} are unknown: use some '
                             f'of {self.known_kinds}')
        self.kinds = set(kinds)

    def take_cell(self, cell: int) -> None:
        """Make views of whole cells of the encoders.

        Args:
            cell (int): Pixels a side that the strides of student and expert
                divide. 16 until this is called.

        Raises:
            ValueError: If a canvas is wanted and its size is no multiple.
        """
        if ('canvas' in self.kinds
                and any(side % cell for side in self.canvas['size'])):
            raise ValueError(
                f'canvas size {self.canvas["size"]} must be a multiple of '
                f'{cell} pixels, the cell of the search task')
        self.cell = cell

    @property
    def _cut(self) -> Set[str]:
        """Kinds of crops that the wanted views are made of."""
        sources = dict(
            clean={'clean', 'anchor'}, canvas={'scale', 'background'})
        return set().union(*(sources.get(k, {k}) for k in self.kinds))

    def scales_for(self, size: Tuple[int, int]) -> List[float]:
        """Scales in the range which give sides of whole cells.

        Args:
            size (tuple[int, int]): Height and width of the anchor, pixels.

        Raises:
            ValueError: If there is none.
        """
        height, width = size
        low, high = self.scale_range
        # in whole cells of the width: 9/7 * 336 is 432, but not in floats
        cells = range(1, math.ceil(high * width / self.cell) + 1)
        scales = [
            c * self.cell / width for c in cells if c * height % width == 0
        ]
        fitting = [scale for scale in scales if low <= scale <= high]
        if not fitting:
            raise ValueError(
                f'no scale in {self.scale_range} turns the {height}x{width} '
                f'anchor into sides divisible by {self.cell}: widen '
                'scale_range or change the anchor size')
        return fitting

    def _check_fit(self, count: int, largest: Tuple[int, int]) -> None:
        """Refuse, at the first batch, what not every draw could place."""
        height, width = self._pasted_size(largest)
        canvas = tuple(self.canvas['size'])
        if height > canvas[0] or count * width > canvas[1]:
            least = [
                -(-n // self.cell) * self.cell for n in (height, count * width)
            ]
            raise ValueError(
                f'{count} persons of up to {height}x{width} pixels do not '
                f'fit side by side on a canvas of {canvas} (height, width): '
                f'set the canvas to at least {tuple(least)}, or lower its '
                'factor, scale_range or num_scales of PersonCrops')

    @torch.no_grad()
    def forward(self, data: dict, training: bool = False) -> dict:
        """Turn a collated batch into views.

        Args:
            data (dict): ``inputs``, uint8 ``(B, 3, h, w)`` by view name,
                and ``keypoints``, ``(B, 17, 3)`` by crop, where there are any
                (other entries are left aside).
            training (bool): Unused; the views of a test are labelled images
                and take another way (``PersonEncoder.extract``).

        Returns:
            dict: ``views`` (Views), arguments of ``ViewPretraining.forward``.

        Raises:
            ValueError: If no crop serves any view that is asked for.
        """
        crops = self.cast_data({
            name: crop
            for name, crop in data['inputs'].items()
            if name.split('_')[0] in self._cut
        })
        if not crops:
            raise ValueError(
                f'the batch has {sorted(data["inputs"])}, nothing to make '
                f'{sorted(self.kinds)} views of, which the heads ask for: set '
                'num_scales and num_locals in PersonCrops')
        device_type = next(iter(crops.values())).device.type
        with torch.autocast(device_type, enabled=False):
            views = self.make_views(crops)
        views.keypoints = self._keypoints(views, data)
        return dict(views=views)

    def _keypoints(self, views: Views, data: dict) -> Dict[str, Tensor]:
        """Those of the views that are of the size they were cut at."""
        found = self.cast_data(dict(data.get('keypoints', {})))
        if 'clean' not in found and 'anchor' in found:
            found['clean'] = found['anchor']
        return {
            name: points
            for name, points in found.items()
            if name in ('clean', 'anchor') and name in views.images
        }

    def make_views(self, crops: Dict[str, Tensor]) -> Views:
        """Resize, augment, normalise and paste. See :meth:`forward`."""
        names = [name for name in crops if name.startswith('scale_')]
        if names:
            size = tuple(crops[names[0]].shape[-2:])
            scales = self.scales_for(size)
            if 'canvas' in self.kinds:
                self._check_fit(len(names), scaled(size, max(scales)))
            for name in names:
                scale = scales[shared_index(len(scales))]
                crops[name] = resize_crops(crops[name], scaled(size, scale))
        with_canvas = 'canvas' in self.kinds and names
        own = crops.pop('background', None)
        other = crops.pop('background_other', None)
        background = self._background(own, other) if with_canvas else None
        if background is not None:
            crops['background'] = background
        if with_canvas and self.canvas['photometry'] == 'own':
            # shrunk first: a quarter of the pixels to colour
            crops |= {
                PASTED + n: self._shrink(crops[n].float())
                for n in names
            }
        clean = crops.pop('clean', None)
        if clean is None and 'clean' in self.kinds:
            clean = crops['anchor']
        if 'anchor' not in self.kinds:
            crops.pop('anchor', None)
        images = self._augment(crops) if crops else {}
        canvas = images.pop('background', None)
        pasted = [images.pop(PASTED + n, None) for n in names]
        if clean is not None:
            images['clean'] = self._normalise(clean)
        views = Views(images)
        if with_canvas:
            self._make_canvas(views, canvas, [
                self._shrink(images[n]) if person is None else person
                for n, person in zip(names, pasted)
            ])
        return views

    def _normalise(self, crop: Tensor) -> Tensor:
        mean, std = (
            torch.tensor(values, device=crop.device).view(3, 1, 1)
            for values in (self.mean, self.std))
        return (crop.float() / 255 - mean) / std

    def _augment(self, crops: Dict[str, Tensor]) -> Dict[str, Tensor]:
        """``(B, 3, h, w)`` uint8 -> float32, each by the law of its kind.

        The small algebra of the colour maps is done once for all views.
        """
        means = torch.cat([channel_means(crop) for crop in crops.values()])
        draw = draw_colour(len(means), **self.colour)
        maps = normalising_maps(draw, means, self.mean, self.std)
        images, first = {}, 0
        for name, crop in crops.items():
            kind, batch = name.split('_')[0], len(crop)
            matrix, offset = (m[first:first + batch] for m in maps)
            first += batch
            out = apply_colour(crop, matrix, offset, self.mean, self.std)
            blurred = torch.rand(batch) < self.blur.get(kind, 0.)
            sigma = torch.empty(batch).uniform_(*self.sigma)
            gaussian_blur_(out, sigma * blurred)
            inverted = torch.rand(batch) < self.solarize.get(kind, 0.)
            images[name] = solarize_(out, inverted, self.mean, self.std)
        return images

    def _other_persons(self, persons: List[Tensor],
                       count: int) -> List[Tensor]:
        """Persons of other images, each as large as a searched one.

        Which one is drawn among those that leave room for it, once for the
        batch and all processes, so that neither size is the distractor's
        own. Where only the smaller one fits it has that one's size, and
        where none does, on a narrow canvas, it is smaller than all of them.
        """
        spare = self.canvas['size'][1] - sum(p.shape[-1] for p in persons)
        others = []
        for index in range(count):
            widest = spare // (count - index)
            fitting = [p for p in persons if p.shape[-1] <= widest]
            pool = fitting or persons
            source = pool[shared_index(len(pool)) if len(pool) > 1 else 0]
            other = source.roll(1 + (index + 1) % (len(source) - 1), 0)
            if not fitting:
                height, width = source.shape[-2:]
                size = (height * widest // width, widest)
                if min(size) < self.cell:
                    break
                other = torch.nn.functional.interpolate(
                    other, size, mode='bilinear', antialias=True)
            spare -= other.shape[-1]
            others.append(other)
        return others

    def _pasted_size(self, size: Tuple[int, int]) -> Tuple[int, int]:
        """Height and width on the canvas of a view of a given size."""
        height, width = (int(side * self.canvas['factor']) for side in size)
        return height, width

    def _shrink(self, images: Tensor) -> Tensor:
        """Scale persons to the canvas."""
        if self.canvas['factor'] == 0.5:
            return halve(images)
        return torch.nn.functional.interpolate(
            images,
            self._pasted_size(images.shape[-2:]),
            mode='bilinear',
            antialias=True)

    def _make_canvas(self, views: Views, canvas: Optional[Tensor],
                     persons: List[Tensor]) -> None:
        """Paste the multi-resolution persons, and others beside them.

        Args:
            views (Views): Gets the canvas and the boxes on it.
            canvas (Tensor, optional): The background ``(B, 3, H, W)``.
            persons (list[Tensor]): Of each scale, as large as on the canvas.
        """
        names = views.scales
        batch = len(persons[0])
        if canvas is None:
            warnings.warn('a batch of one image has no other image for the '
                          'background: pasting on flat grey')
            canvas = persons[0].new_zeros(batch, 3, *self.canvas['size'])
        if batch > 1:
            persons += self._other_persons(persons, self.canvas['distractors'])
        elif self.canvas['distractors']:
            warnings.warn('a batch of one image has no other person to '
                          'distract: pasting without')
        sizes = [tuple(person.shape[-2:]) for person in persons]
        boxes = place_persons(batch, sizes, self.canvas['size'])
        views.images['canvas'] = paste_persons(canvas, persons, boxes,
                                               self.canvas['alpha'])
        places = boxes.to(canvas.device).unbind(1)
        views.boxes = dict(zip(names, places))
        views.distractors = {
            f'distractor_{i + 1}': place
            for i, place in enumerate(places[len(names):])
        }

    def _background(self, own: Optional[Tensor],
                    other: Optional[Tensor]) -> Optional[Tensor]:
        """Another image's crop for each canvas; None for a lone image.

        Args:
            own (Tensor, optional): ``(B, 3, h, w)`` uint8, cut from the
                persons' own images: each goes to the next one's canvas.
            other (Tensor, optional): Likewise, from other images already.
        """
        if own is None and other is None:
            raise ValueError(
                "the search task needs a 'background' crop of each image: "
                'switch it on in PersonCrops, or leave the css head out')
        if other is None:
            if len(own) == 1:
                return None
            other = own.roll(1, 0)
        return resize_crops(other, tuple(self.canvas['size']))
