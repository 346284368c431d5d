import io
import os
import os.path as osp
from typing import Dict, List, Optional, Sequence

import numpy as np
from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger, print_log
from mmseg.registry import METRICS
from PIL import Image
from prettytable import PrettyTable
from torch import Tensor

from saip_mm.evaluation import confusion_matrix, part_scores
from saip_mm.weights import write_file


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
