from mmdet.datasets.transforms import RandomFlip
from mmdet.registry import TRANSFORMS

from .parts import NUM_PARTS, join_maps, mirrored_parts, split_map


@TRANSFORMS.register_module()
class ParsingRandomFlip(RandomFlip):
    """Mirrors picture, boxes and map, and exchanges left and right in it.

    mmdet's flip mirrors ``gt_seg_map`` and leaves a left arm a left arm,
    whatever ``swap_seg_labels`` says. Which parts a mirror exchanges the data
    set says, in ``flip_pairs``, and how many parts there are in
    ``num_parts``. A diagonal flip, half a turn, exchanges nothing.

    Args:
        prob (float): How often, 0 to 1.
        **kwargs: Arguments of ``mmdet.RandomFlip``.

    Raises:
        ValueError: If there is a map, and its data set says no pairs.
    """

    def _flip(self, results: dict) -> None:
        super()._flip(results)
        if ('gt_seg_map' not in results
                or results['flip_direction'] == 'diagonal'):
            return
        if 'flip_pairs' not in results:
            raise ValueError('the data set does not say which parts a mirror '
                             'exchanges: take CIHPDataset')
        number = results.get('num_parts', NUM_PARTS)
        parts, humans = split_map(results['gt_seg_map'], number)
        order = mirrored_parts(results['flip_pairs'], number)
        results['gt_seg_map'] = join_maps(order[parts], humans, number)
