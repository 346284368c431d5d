"""Everything that is known about the people in a rendered scene."""
from dataclasses import dataclass
from functools import cached_property
from typing import Dict, Optional, Set, Tuple

import numpy as np

from ..people.figure import Figure
from ..people.head import head_bounds
from ..people.identity import Identity
from ..people.parts import CIHP_TORSO_SKIN, ID
from ..scene.render import Rendered
from ..scene.scene import Scene
from .attributes import pa100k_attributes, peta_attributes
from .captions import describe
from .fashion import fashion_item
from .landmarks import resolve, wholebody_spots

# 'crowd' and 'poster': people nobody labels one by one, see street.py.
UNLABELLED = ('crowd', 'poster')
NOT_BODY = ('carried', 'thing') + UNLABELLED
Box = Tuple[float, float, float, float]


@dataclass
class PersonLabels:
    """One person in a picture.

    Args:
        number (int): In the scene.
        identity (Identity): Who it is.
        figure (Figure): How it stands.
        mask (np.ndarray): ``(H, W)`` bool: what is seen of body and clothes;
            bags and held things are not part of it.
        full_box, visible_box, head_box (tuple, optional): ``x, y, w, h``;
            the full box includes hidden parts and may leave the picture,
            the others are None where nothing is seen.
        full_head_box (tuple): Skull and hat, hidden or outside as well, but
            not the hair that falls on the shoulders.
        keypoints (np.ndarray): ``(17, 3)``: x, y, visibility.
        wholebody (np.ndarray): ``(133, 3)``, the first 17 as above.
        garments (dict): Name -> ``(H, W)`` bool, of what is seen.
    """
    number: int
    identity: Identity
    figure: Figure
    mask: np.ndarray
    full_box: Box
    visible_box: Optional[Box]
    head_box: Optional[Box]
    full_head_box: Box
    wholebody: np.ndarray
    garments: Dict[str, np.ndarray]

    @property
    def keypoints(self) -> np.ndarray:
        return self.wholebody[:17]

    def pa100k(self) -> np.ndarray:
        """26 attributes, ``attributes.PA100K`` names them."""
        return pa100k_attributes(self.identity, self.figure)

    def peta(self) -> np.ndarray:
        """35 attributes, ``attributes.PETA`` names them."""
        return peta_attributes(self.identity)

    def captions(self, rng: np.random.Generator, count: int = 2):
        """Sentences about what is seen of the person."""
        return [
            describe(self.identity, rng, self.figure.pose.kind,
                     set(self.garments)) for _ in range(count)
        ]

    def fashion(self) -> list:
        """``(category id, attribute ids, mask)`` of each garment seen."""
        items = []
        for name, mask in self.garments.items():
            known = fashion_item(self.identity, name, self.garments)
            if known is not None:
                items.append((*known, mask))
        return items


class SceneLabels:
    """Labels of a rendered scene; maps are made when they are asked for.

    Args:
        scene (Scene): The scene.
        rendered (Rendered): What ``scene.render()`` gave.
    """

    def __init__(self, scene: Scene, rendered: Rendered) -> None:
        self.scene = scene
        self.ids, self.layers = rendered.ids, rendered.layers

    def _map(self, value, dtype, background) -> np.ndarray:
        """Replace each layer's number by something of the layer."""
        table = [background] + [value(layer) for layer in self.layers]
        return np.array(table, dtype)[self.ids]

    def owners(self) -> np.ndarray:
        """``(H, W)`` int16: number of the person seen, -1 nobody."""
        return self._owners

    @cached_property
    def _owners(self):
        return self._map(lambda s: -1
                         if s.region in NOT_BODY else s.owner, np.int16, -1)

    @cached_property
    def _heads(self):
        return self._map(lambda s: s.owner
                         if s.region == 'head' else -1, np.int16, -1)

    def heads(self) -> np.ndarray:
        """``(H, W)`` bool: hair, faces, hats of people with labels."""
        return self._heads >= 0

    def unlabelled(self) -> Dict[str, np.ndarray]:
        """What shows people without labels, ``(H, W)`` bool each.

        Returns:
            dict: 'crowd' (people far away) and 'poster' (pictures of
            people), where there is one and something of it is seen.
        """
        kinds = (*UNLABELLED, '')  # the last is what has labels
        shown = self._map(
            lambda s: kinds.index(s.region
                                  if s.region in kinds else ''), np.uint8,
            len(UNLABELLED))
        masks = {kind: shown == i for i, kind in enumerate(UNLABELLED)}
        return {kind: mask for kind, mask in masks.items() if mask.any()}

    def parts(self, cihp: bool = False) -> np.ndarray:
        """``(H, W)`` uint8: part classes of all people.

        Args:
            cihp (bool): Necks become CIHP's class torso skin, which in LIP
                is jumpsuits; jumpsuits become dresses. Defaults to False.
        """

        def value(layer):
            if not cihp:
                return layer.label
            if layer.region == 'neck' and layer.label == ID['Face']:
                return CIHP_TORSO_SKIN
            jumpsuit = layer.label == ID['Jumpsuits']
            return ID['Dress'] if jumpsuit else layer.label

        return self._map(value, np.uint8, 0)

    def person(self, number: int = 0, garments: bool = True) -> PersonLabels:
        """Labels of one person.

        Args:
            number (int): In the scene. Defaults to 0.
            garments (bool): Whether to make their masks, which takes longer
                than everything else together. Defaults to True.
        """
        figure = self.scene.people[number]
        mask = self._owners == number
        visible = mask_box(mask)
        x1, y1, x2, y2 = _whole_pixels(*head_bounds(figure))
        return PersonLabels(
            number=number,
            identity=figure.identity,
            figure=figure,
            mask=mask,
            full_box=self._full_box(number, visible),
            visible_box=visible,
            head_box=mask_box(self._heads == number),
            full_head_box=(x1, y1, x2 - x1, y2 - y1),
            wholebody=resolve(
                wholebody_spots(figure), number, self.ids, self.layers),
            garments=self._garments(number) if garments else {})

    def _full_box(self, number, visible):
        """Bounds of all shapes of the body, hidden or outside as well."""
        low, high = np.full(2, np.inf), np.full(2, -np.inf)
        for layer in self.layers:
            if layer.owner != number or layer.region in NOT_BODY:
                continue
            points = layer.points
            if isinstance(points, tuple):
                points = np.concatenate(points)
            points = points.view(np.float64).reshape(-1, 2)
            low = np.minimum(low, points.min(0))
            high = np.maximum(high, points.max(0))
        x1, y1, x2, y2 = _whole_pixels(low, high)
        if visible is not None:
            x1, y1 = min(x1, visible[0]), min(y1, visible[1])
            x2 = max(x2, visible[0] + visible[2])
            y2 = max(y2, visible[1] + visible[3])
        return float(x1), float(y1), float(x2 - x1), float(y2 - y1)

    def garments_seen(self, number: int = 0) -> Set[str]:
        """Names of what a person wears or carries and is seen.

        Args:
            number (int): In the scene. Defaults to 0.
        """
        return {
            name
            for i in np.unique(self.ids) if i
            for name in self.layers[i - 1].garments
            if self.layers[i - 1].owner == number
        }

    def _garments(self, number):
        return {
            name:
            self._map(lambda s: s.owner == number and name in s.garments, bool,
                      False)
            for name in sorted(self.garments_seen(number))
        }

    def people(self, garments: bool = True) -> list:
        """Labels of everybody, in the scene's order."""
        count = len(self.scene.people)
        return [self.person(i, garments) for i in range(count)]


def _whole_pixels(low, high) -> Tuple[float, float, float, float]:
    """Bounds of points as ``x1, y1, x2, y2`` of whole pixels."""
    x1, y1 = np.floor(low)
    x2, y2 = np.ceil(high) + 1  # a pixel is one wide
    return float(x1), float(y1), float(x2), float(y2)


def mask_box(mask: np.ndarray) -> Optional[Box]:
    """Smallest box around a mask, ``x, y, w, h``; None if it is empty.

    Example:
        >>> mask = np.zeros((4, 5), bool)
        >>> mask[1:3, 2] = True
        >>> mask_box(mask)
        (2.0, 1.0, 1.0, 2.0)
    """
    rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]
    if not len(rows):
        return None
    x, y = columns[0], rows[0]
    return (float(x), float(y), float(columns[-1] + 1 - x),
            float(rows[-1] + 1 - y))
