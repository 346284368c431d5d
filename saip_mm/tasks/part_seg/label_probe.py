from typing import Callable, List, Sequence

import numpy as np

from saip_mm.datasets.transforms.nested import flatten
from .label_set import IGNORED
from .load_image import LoadPartImage
from .load_labels import LoadPartLabels

PROBES = 16  # pairs of files tried before training starts


def probe_labels(samples: List[dict], transforms: Sequence,
                 tell: Callable[[str], None]) -> None:
    """Read some pictures with their labels, spread evenly, before training.

    Args:
        samples (list[dict]): Of the data set.
        transforms (Sequence): Its pipeline. What it loads by other
            transforms than ours is not read.
        tell (Callable): Gets a line for the log where labels are no error,
            but look like none.

    Raises:
        ValueError: As the transforms that load.
    """
    found = {type(transform): transform for transform in flatten(transforms)}
    if not {LoadPartImage, LoadPartLabels} <= found.keys():
        return
    image, labels = found[LoadPartImage], found[LoadPartLabels]
    chosen = np.linspace(
        0, len(samples) - 1, min(PROBES, len(samples)), dtype=int)
    seen, ignored = set(), []
    for index in chosen:
        results = dict(samples[index], seg_fields=[])
        label = labels.transform(image.transform(results))['gt_seg_map']
        classes = set(np.unique(label).tolist())
        seen |= classes
        if classes == {IGNORED}:
            ignored.append(results['seg_map_path'])
    if ignored:
        tell(f'{len(ignored)} of {len(chosen)} labels looked at are {IGNORED} '
             f'(ignored) everywhere and teach nothing, first {ignored[0]}')
    elif len(seen - {IGNORED}) < 2:
        beside = f' beside {IGNORED}, which is ignored' * (IGNORED in seen)
        tell(f'the {len(chosen)} labels looked at hold no class but '
             f'{min(seen)}{beside}: were they drawn as black and white masks? '
             'A class is a number')
