import os.path as osp
from typing import Optional, Sequence

import numpy as np
import torch
from mmdet.engine.hooks import DetVisualizationHook
from mmdet.registry import HOOKS, VISUALIZERS
from mmdet.visualization import DetLocalVisualizer
from mmengine.fileio import get
from mmengine.structures import InstanceData

from saip_mm.datasets.transforms import decode_as_labelled
from .label_files import read_maps
from .parsing_scores import paint_persons
from .parts import PALETTE


def blend_parts(image: np.ndarray,
                parts: np.ndarray,
                palette: Sequence[Sequence[int]] = PALETTE,
                alpha: float = 0.6) -> np.ndarray:
    """Lay the colours of parts over a picture.

    Args:
        image (np.ndarray): ``(H, W, 3)`` uint8, RGB.
        parts (np.ndarray): ``(H, W)`` numbers; 0 stays as it is.
        palette (Sequence): RGB of each part. Defaults to CIHP's.
        alpha (float): Share of the colours. Defaults to 0.6.

    Returns:
        np.ndarray: A copy with the drawing.

    Example:
        >>> blend_parts(np.full((1, 2, 3), 100, np.uint8),
        ...             np.array([[0, 1]]), alpha=0.5)
        array([[[100, 100, 100], [114,  50,  50]]], dtype=uint8)
    """
    colours = np.asarray(palette, dtype=np.float32)[parts]
    mixed = (1 - alpha) * image + alpha * colours
    return np.where(parts[..., None] > 0, mixed.round(),
                    image).astype(np.uint8)


@VISUALIZERS.register_module()
class ParsingLocalVisualizer(DetLocalVisualizer):
    """Draws persons' parts over the picture, and boxes around them.

    Colours are the data set's ``part_palette``; where persons overlap, the
    surer one is over the other.

    Args:
        name (str): Of this visualizer. Defaults to 'visualizer'.
        part_alpha (float): Share of the parts' colours. Defaults to 0.6.
        **kwargs: Arguments of ``mmdet.DetLocalVisualizer``.
    """

    def __init__(self,
                 name: str = 'visualizer',
                 part_alpha: float = 0.6,
                 **kwargs) -> None:
        super().__init__(name=name, **kwargs)
        self.part_alpha = part_alpha

    def _draw_instances(self, image: np.ndarray, instances: InstanceData,
                        *args) -> np.ndarray:
        if 'parsings' in instances:
            scores = [1.] * len(instances)
            if 'scores' in instances:
                scores = instances.scores.tolist()
            parts = paint_persons(instances.parsings, scores, *image.shape[:2],
                                  0.)
            image = blend_parts(image, parts,
                                self.dataset_meta.get('part_palette', PALETTE),
                                self.part_alpha)
        return super()._draw_instances(image, instances, *args)


@HOOKS.register_module()
class ParsingDrawHook(DetVisualizationHook):
    """Draws persons found beside those annotated, on the labelled picture.

    As ``mmdet.DetVisualizationHook``, arguments too, which draws on the
    picture as EXIF turns it, wherever the labels' pixels are. Annotated
    persons are read from the maps, where the data sample names them.
    """

    def after_val_iter(self, runner, batch_idx, data_batch, outputs) -> None:
        """Draw the first picture of every ``interval``-th batch."""
        step = runner.iter + batch_idx
        if self.draw and step % self.interval == 0:
            self._draw('val_img', outputs[0], step)

    def after_test_iter(self, runner, batch_idx, data_batch, outputs) -> None:
        """Draw all pictures, into ``test_out_dir`` of the run if given."""
        for sample in outputs if self.draw else ():
            self._test_index += 1
            file = None
            if self.test_out_dir is not None:
                file = osp.join(runner.work_dir,
                                runner.timestamp, self.test_out_dir,
                                osp.basename(sample.img_path))
            self._draw('test_img', sample, self._test_index, file)

    def _draw(self,
              name: str,
              sample,
              step: int,
              file: Optional[str] = None) -> None:
        path = sample.img_path
        image = decode_as_labelled(
            get(path, backend_args=self.backend_args), sample.ori_shape, path)
        labelled = 'human_path' in sample.metainfo
        if labelled:
            sample = sample.clone()
            sample.gt_instances = annotated_persons(sample.category_path,
                                                    sample.human_path)
        self._visualizer.add_datasample(
            osp.basename(path) if self.show else name,
            image[..., ::-1].copy(),  # RGB
            data_sample=sample,
            draw_gt=labelled,
            show=self.show,
            wait_time=self.wait_time,
            pred_score_thr=self.score_thr,
            out_file=file,
            step=step)


def annotated_persons(category_path: str, human_path: str) -> InstanceData:
    """Persons of two maps in the form of predictions.

    Args:
        category_path (str): PNG of parts.
        human_path (str): PNG of persons.

    Returns:
        InstanceData: ``bboxes`` (x1, y1, x2, y2), ``labels``, ``parsings``.
    """
    parts, humans = read_maps(category_path, human_path, num_parts=256)
    boxes, parsings = [], []
    for human in np.unique(humans[(humans > 0) & (parts > 0)]):
        rows, columns = np.nonzero(humans == human)
        y1, y2, x1, x2 = (rows.min(), rows.max() + 1, columns.min(),
                          columns.max() + 1)
        mine = humans[y1:y2, x1:x2] == human
        crop = np.where(mine, parts[y1:y2, x1:x2], 0).astype(np.uint8)
        boxes.append([int(v) for v in (x1, y1, x2, y2)])
        parsings.append((int(x1), int(y1), crop))
    return InstanceData(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
        labels=torch.zeros(len(boxes), dtype=torch.long),
        parsings=parsings)
