"""The pictures of a batch that a model gets, and their names."""
from dataclasses import dataclass, field
from typing import Dict, List, Sequence

import torch
from torch import Tensor

VIEW_KINDS = ('anchor', 'scale', 'local', 'clean', 'canvas')


class OneOfEachKind(dict):
    """Images of which any number of a kind is there: 'scale_3' is 'scale_1'.

    The names are those it was made of.
    """

    def __missing__(self, name: str) -> Tensor:
        for known, image in self.items():
            if known.split('_')[0] == name.split('_')[0]:
                return image
        raise KeyError(name)


@dataclass
class Views:
    """What the model gets of a batch of B persons.

    Attributes:
        images (dict[str, Tensor]): By view name, ``(B, 3, h, w)`` float32,
            normalised; ``anchor``, ``scale_t`` at its drawn size,
            ``local_t``, ``clean``, which is the anchor as it was cut, or a
            crop of its own where ``PersonCrops`` makes one, and ``canvas``,
            the multi-person image.
        boxes (dict[str, Tensor]): ``(B, 4)`` int64 ``x1, y1, x2, y2`` of each
            ``scale_t`` on the canvas, in pixels.
        distractors (dict[str, Tensor]): Likewise, of the persons of other
            images on the canvas: ``distractor_1`` and so on.
        keypoints (dict[str, Tensor]): ``(B, 17, 3)`` float32 in COCO's
            order, by view name, of the views whose crop has them: x and y in
            the view's pixels, and 1 where the point is known and inside, else
            0. Empty if the data have none.
    """
    images: Dict[str, Tensor]
    boxes: Dict[str, Tensor] = field(default_factory=dict)
    distractors: Dict[str, Tensor] = field(default_factory=dict)
    keypoints: Dict[str, Tensor] = field(default_factory=dict)

    @property
    def scales(self) -> List[str]:
        """list[str]: Names of the multi-resolution views, in order."""
        return self.of_kinds('scale')

    def of_kinds(self, *kinds: str) -> List[str]:
        """Names of the views of some kinds ('anchor', 'scale', ...)."""
        return [n for n in self.images if n.split('_')[0] in kinds]

    def image(self, name: str) -> Tensor:
        """The view ``(B, 3, h, w)`` of a name.

        Raises:
            ValueError: If there is none.
        """
        try:
            return self.images[name]
        except KeyError:
            raise ValueError(f"there is no view '{name}': known are "
                             f'{", ".join(self.images)}') from None

    @classmethod
    def blank(cls,
              side: int = 64,
              kinds: Sequence[str] = VIEW_KINDS) -> 'Views':
        """One black image of each kind, to rehearse requests with.

        Args:
            side (int): In pixels. Defaults to 64.
            kinds (Sequence[str]): Defaults to those of
                :class:`PersonViewPreprocessor`.
        """
        numbered = ('scale', 'local')
        names = [f'{k}_1' if k in numbered else k for k in kinds]
        image = torch.zeros(1, 3, side, side)
        box = torch.tensor([[0, 0, side, side]])
        images = OneOfEachKind(dict.fromkeys(names, image))
        return cls(images, {'scale_1': box})
