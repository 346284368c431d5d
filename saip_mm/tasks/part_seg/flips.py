from typing import Sequence, Tuple

from mmcv.transforms import RandomFlip, TestTimeAug
from mmseg.registry import TRANSFORMS

from saip_mm.datasets.transforms.nested import flatten
from .label_set import Pairs, named


@TRANSFORMS.register_module()
class RandomPartFlip(RandomFlip):
    """Mirrors picture and label, and exchanges left and right.

    Which classes a mirror exchanges the data set says (``flip_pairs``), so
    that they stand in the config once, in its ``metainfo``.

    Args:
        prob (float): How often, 0 to 1.

    Raises:
        ValueError: If there is a label, but its data set says no pairs.
    """

    def __init__(self, prob: float) -> None:
        super().__init__(prob=float(prob))

    def transform(self, results: dict) -> dict:
        if 'gt_seg_map' in results and 'flip_pairs' not in results:
            raise ValueError(
                'the data set does not say which classes a mirror exchanges: '
                'take PartsDataset, or RandomFlip with its swap_seg_labels')
        self.swap_seg_labels = [
            tuple(pair) for pair in results.get('flip_pairs', ())
        ]
        return super().transform(results)


def check_flips(transforms: Sequence,
                pairs: Pairs,
                classes: Sequence[str],
                widows: Sequence = ()) -> None:
    """Refuse a flip of labels which leaves left and right as they were.

    Args:
        transforms (Sequence): Built transforms; containers are looked into.
        pairs (list[tuple[int, int]]): Classes which a mirror exchanges.
        classes (Sequence[str]): Names of all classes.
        widows (Sequence[tuple[str, str]]): Classes without their twin, each
            with it.

    Raises:
        ValueError: If a ``RandomFlip`` exchanges other classes, or there is
            a flip and a class lost its twin.
    """
    wanted = {frozenset(pair) for pair in pairs}
    for transform in flatten(transforms):
        if isinstance(transform, TestTimeAug):  # PartFlipTTA has the pairs
            for inner in flatten(transform.subroutines):
                _check_widows(inner, widows)
        _check_widows(transform, widows)
        if (not isinstance(transform, RandomFlip)
                or isinstance(transform, RandomPartFlip)):
            continue
        given = [tuple(pair) for pair in transform.swap_seg_labels or ()]
        if {frozenset(pair) for pair in given} != wanted:
            raise ValueError(
                'a mirrored left arm is a right arm: RandomFlip needs '
                f'swap_seg_labels={[tuple(pair) for pair in pairs]}, as '
                f'metainfo.flip_pairs ({named(pairs, classes)}), got {given}; '
                'or take RandomPartFlip, which asks the data set')


def _check_widows(transform, widows: Sequence[Tuple[str, str]]) -> None:
    if widows and isinstance(transform, RandomFlip):
        kept, other = widows[0]
        raise ValueError(
            f'{kept} is a class here and {other} is not, but a mirror makes '
            'one of the other: name both in metainfo.classes or neither, or '
            f'take {type(transform).__name__} out of the pipeline')
