"""Counts of pixels by label and prediction, and what they say."""
from typing import Dict

import numpy as np
import torch
from torch import Tensor


def confusion_matrix(label: Tensor,
                     prediction: Tensor,
                     num_classes: int,
                     ignore_index: int = 255) -> Tensor:
    """Count pixels by label and prediction.

    Args:
        label (Tensor): ``(H, W)`` integer classes.
        prediction (Tensor): ``(H, W)`` integer classes.
        num_classes (int): K.
        ignore_index (int): Label that is not counted. Defaults to 255.

    Returns:
        Tensor: ``(K, K)`` int64 on the CPU; rows are labels, columns
        predictions.

    Raises:
        ValueError: If sizes differ, or a class is not below K.

    Example:
        >>> confusion_matrix(torch.tensor([[0, 1, 255]]),
        ...                  torch.tensor([[1, 1, 0]]), 2)
        tensor([[0, 1],
                [0, 1]])
    """
    if label.shape != prediction.shape:
        raise ValueError(f'the label has {tuple(label.shape)} pixels, the '
                         f'prediction {tuple(prediction.shape)}')
    kept = label != ignore_index
    label, prediction = label[kept].long(), prediction[kept].long()
    for what, values in (('label', label), ('prediction', prediction)):
        if values.numel(
        ) and not 0 <= values.min() <= values.max() < num_classes:
            raise ValueError(
                f'a {what} holds class {int(values.max())}, but there are '
                f'{num_classes}, counted from 0')
    counts = torch.bincount(
        label * num_classes + prediction, minlength=num_classes**2)
    return counts.view(num_classes, num_classes).cpu()


def part_scores(confusion: np.ndarray) -> Dict[str, np.ndarray]:
    """Overlap and accuracy of a confusion matrix.

    Args:
        confusion (np.ndarray): ``(K, K)`` counts; rows are labels.

    Returns:
        dict: In per cent, float64: ``IoU`` and ``Acc`` ``(K, )``, NaN for
        classes neither labelled nor predicted (IoU) or not labelled (Acc);
        their means ``mIoU`` and ``mAcc`` over the other classes, ``aAcc``
        over pixels.

    Raises:
        ValueError: If nothing was counted.

    Source:
        mmseg's ``IoUMetric``, without its rounding to two decimals and its
        float32 sums.
    """
    confusion = np.asarray(confusion, dtype=np.float64)
    if not confusion.sum():
        raise ValueError('no pixel to evaluate: are all labels 255?')
    hits, labelled = np.diag(confusion), confusion.sum(1)
    union = labelled + confusion.sum(0) - hits
    with np.errstate(invalid='ignore'):
        iou, acc = 100 * hits / union, 100 * hits / labelled
    return dict(
        IoU=iou,
        Acc=acc,
        mIoU=np.nanmean(iou),
        mAcc=np.nanmean(acc),
        aAcc=100 * hits.sum() / confusion.sum())
