import io
import os
import os.path as osp
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS
from PIL import Image
from prettytable import PrettyTable
from torch import Tensor

from saip_mm.weights import write_file


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


@METRICS.register_module()
class PartSegMetric(BaseMetric):
    """mIoU, mAcc and pixel accuracy over a whole data set, in per cent.

    Args:
        ignore_index (int): Label that is not counted. Defaults to 255.
        output_dir (str, optional): Folder for predictions, as PNG of class
            numbers with the data set's palette. Defaults to None.
        **kwargs: Arguments of ``BaseMetric``.
    """

    def __init__(self,
                 ignore_index: int = 255,
                 output_dir: Optional[str] = None,
                 **kwargs) -> None:
        super().__init__(**kwargs)
        self.ignore_index = ignore_index
        self.output_dir = output_dir
        self._written: Dict[str, str] = {}
        if output_dir and is_main_process():
            os.makedirs(output_dir, exist_ok=True)

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Count one batch.

        Args:
            data_batch (dict): Not used.
            data_samples (Sequence[dict]): With ``pred_sem_seg``,
                ``gt_sem_seg`` (``data`` ``(1, H, W)``) and ``img_path``.
        """
        num_classes = len(self.dataset_meta['classes'])
        for sample in data_samples:
            prediction = sample['pred_sem_seg']['data'][0]
            label = sample['gt_sem_seg']['data'][0].to(prediction.device)
            try:
                counts = confusion_matrix(label, prediction, num_classes,
                                          self.ignore_index)
            except ValueError as error:
                raise ValueError(f'{sample["img_path"]}: {error}') from error
            self.results.append(counts.numpy())
            if self.output_dir:
                self._write(prediction, sample['img_path'])

    def _write(self, prediction: Tensor, img_path: str) -> None:
        name = osp.splitext(osp.basename(img_path))[0]
        if self._written.setdefault(name, img_path) != img_path:
            raise ValueError(
                f'{img_path} and {self._written[name]} would both be written '
                f'to {name}.png in {self.output_dir}: rename one')
        image = Image.fromarray(prediction.cpu().numpy().astype(np.uint8))
        image.putpalette(np.ravel(self.dataset_meta['palette']).tolist())
        content = io.BytesIO()
        image.save(content, 'PNG')
        write_file(
            osp.join(self.output_dir, f'{name}.png'), content.getvalue())

    def compute_metrics(self, results: List[np.ndarray]) -> Dict[str, float]:
        """Sum up the pictures' matrices; log the classes.

        Returns:
            dict[str, float]: ``mIoU``, ``mAcc``, ``aAcc``, not rounded.
        """
        ignored = sum(not counts.any() for counts in results)
        if ignored:
            print_log(
                f'{ignored} of {len(results)} labels are {self.ignore_index} '
                '(ignored) everywhere and count nothing', 'current')
        scores = part_scores(sum(results))
        table = PrettyTable(['Class', 'IoU', 'Acc'])
        for name, iou, acc in zip(self.dataset_meta['classes'], scores['IoU'],
                                  scores['Acc']):
            table.add_row([name, f'{iou:.2f}', f'{acc:.2f}'])
        print_log(f'\n{table}', MMLogger.get_current_instance())
        return {key: float(scores[key]) for key in ('mIoU', 'mAcc', 'aAcc')}
