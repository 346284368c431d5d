"""Predictions beside the labels they are compared with."""
from collections import defaultdict
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np
import pycocotools.mask as mask_utils

from saip_mm.datasets.fashion_taxonomy import (ATTRIBUTE_IDS, ATTRIBUTES,
                                               WITH_ATTRIBUTES,
                                               attribute_index)
from .attribute_scores import MOST, Pairs, set_f1
from .fashion_file import FashionFile
from .outlines import run_length

KINDS = ('bbox', 'segm')


def to_predictions(picture: Any,
                   found: Mapping[str, Any],
                   with_masks: bool = True) -> List[dict]:
    """What was found in a picture, by ids, as the data set's files have it.

    Args:
        picture (int): Its id.
        found (InstanceData | dict): ``bboxes`` ``(n, 4)`` x1, y1, x2, y2,
            ``scores``, ``labels``, ``attributes`` ``(n, 294)``, and ``masks``
            ``(n, H, W)`` if they are asked for; tensors.
        with_masks (bool): Whether to add ``segmentation``. Defaults to True.

    Returns:
        list[dict]: Of plain types: ``image_id``, ``category_id``, ``score``,
        ``bbox`` x, y, w, h, ``attribute_ids``, ``segmentation`` (run
        lengths).
    """
    boxes, scores, labels, attributes = (
        found[key].cpu().numpy()
        for key in ('bboxes', 'scores', 'labels', 'attributes'))
    predictions = []
    for box, value, label, own in zip(
            boxes.astype(np.float64), scores, labels, attributes.astype(bool)):
        x1, y1, x2, y2 = box.tolist()
        predictions.append(
            dict(
                image_id=picture,
                category_id=int(label),
                score=float(value),
                bbox=[x1, y1, x2 - x1, y2 - y1],
                attribute_ids=ATTRIBUTE_IDS[own].tolist()))
    if with_masks:
        for one, mask in zip(predictions, found['masks']):
            one['segmentation'] = _encode(mask.cpu().numpy())
    return predictions


def _encode(mask: np.ndarray) -> dict:
    """Run lengths of ``(H, W)`` bool, of plain types."""
    runs = mask_utils.encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(size=list(runs['size']), counts=runs['counts'].decode())


class FashionLabels:
    """The labels of a file, ready to be compared with predictions.

    Args:
        file (FashionFile): Of :func:`read_fashion`.
        path (str): Its name, for errors.
    """

    def __init__(self, file: FashionFile, path: str) -> None:
        self.path = path
        self.sizes = {
            image['id']: (image['height'], image['width'])
            for image in file.images
        }
        self.categories = file.categories
        self.labels = defaultdict(list)  # by (category, picture)
        for annotation in file.annotations:
            key = annotation['category_id'], annotation['image_id']
            self.labels[key].append(annotation)

    def check(self, prediction: dict) -> None:
        """Refuse what the labels do not know.

        Args:
            prediction (dict): ``image_id``, ``category_id`` 0 to 45,
                ``score``, ``bbox`` x, y, w, h, ``segmentation`` (run
                lengths), ``attribute_ids``.

        Raises:
            ValueError: If picture, category or an attribute does not exist.
        """
        if prediction['image_id'] not in self.sizes:
            raise ValueError(f'{self.path} has no picture '
                             f'{prediction["image_id"]!r}, which a prediction '
                             'is of')
        if not 0 <= prediction['category_id'] < len(self.categories):
            raise ValueError(f'category id {prediction["category_id"]} does '
                             f'not exist; ids are 0-{len(self.categories)-1}')
        for value in prediction['attribute_ids']:
            attribute_index(value)

    def pair(self, predictions: Sequence[dict],
             kind: str) -> Dict[int, List[Pairs]]:
        """Overlaps and F1 of predictions and labels.

        Args:
            predictions (Sequence[dict]): See :meth:`check`, in any order.
            kind (str): 'bbox' or 'segm': which overlap.

        Returns:
            dict[int, list[Pairs]]: By category, of each picture that shows
            or predicts it, in the order of the pictures' ids.
        """
        found = defaultdict(list)
        for prediction in predictions:
            self.check(prediction)
            key = prediction['category_id'], prediction['image_id']
            found[key].append(prediction)
        pairs = defaultdict(list)
        for key in sorted(set(found) | set(self.labels)):
            own = self._pair(key, found.get(key, []), kind)
            pairs[key[0]].append(own)
        return pairs

    def _pair(self, key: tuple, predictions: List[dict], kind: str) -> Pairs:
        category, picture = key
        labels = self.labels.get(key, [])
        scores = np.array([one['score'] for one in predictions], np.float64)
        order = np.argsort(-scores, kind='stable')[:MOST]
        predictions = [predictions[i] for i in order]
        crowd = np.array([one['iscrowd'] for one in labels], bool)
        f1 = None
        if category in WITH_ATTRIBUTES:
            f1 = set_f1([set(one['attribute_ids']) for one in labels],
                        [set(one['attribute_ids']) for one in predictions],
                        len(ATTRIBUTES))
        return Pairs(
            scores=scores[order],
            ious=overlaps(predictions, labels, crowd, kind,
                          self.sizes[picture]),
            f1=f1,
            areas=np.array([p['bbox'][2] * p['bbox'][3] for p in predictions]),
            label_areas=np.array([one['area'] for one in labels], np.float64),
            crowd=crowd)


def overlaps(predictions: List[dict], labels: List[dict], crowd: np.ndarray,
             kind: str, size: tuple) -> np.ndarray:
    """Intersection over union, for crowds over the prediction alone.

    Args:
        predictions (list[dict]): With ``bbox`` or ``segmentation``.
        labels (list[dict]): The same.
        crowd (np.ndarray): ``(G, )`` bool.
        kind (str): 'bbox' or 'segm'.
        size (tuple[int, int]): Height and width of the picture.

    Returns:
        np.ndarray: ``(D, G)`` float64.
    """
    if not predictions or not labels:
        return np.zeros((len(predictions), len(labels)))
    if kind == 'bbox':
        pair = [
            np.array([one['bbox'] for one in side], np.float64)
            for side in (predictions, labels)
        ]
    else:
        pair = [[run_length(one['segmentation'], *size) for one in side]
                for side in (predictions, labels)]
    return np.asarray(mask_utils.iou(*pair, crowd.astype(np.uint8).tolist()))
