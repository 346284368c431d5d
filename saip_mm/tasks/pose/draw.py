import os.path as osp
from collections import Counter
from typing import Optional, Sequence

from mmengine.evaluator import Evaluator
from mmengine.fileio import get
from mmengine.runner import Runner
from mmengine.utils import mkdir_or_exist
from mmpose.engine.hooks import PoseVisualizationHook
from mmpose.registry import HOOKS
from mmpose.structures import PoseDataSample, merge_data_samples

from saip_mm.datasets.transforms import decode_as_labelled


@HOOKS.register_module()
class PersonVisualizationHook(PoseVisualizationHook):
    """Draws persons found on their picture, turned as its labels are.

    As :class:`mmpose.PoseVisualizationHook`, arguments too, which draws on
    the picture as EXIF turns it, wherever the labels' pixels are.
    """

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._drawn = Counter()  # persons by name of the picture

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: dict,
                       outputs: Sequence[PoseDataSample]) -> None:
        """Draw the first person of every ``interval``-th batch."""
        step = runner.iter + batch_idx
        if self.enable and step % self.interval == 0:
            self._draw(runner.val_evaluator, outputs[0], 'val_img', step)

    def after_test_iter(self, runner: Runner, batch_idx: int, data_batch: dict,
                        outputs: Sequence[PoseDataSample]) -> None:
        """Draw every person, in ``out_dir`` of the run if there is one."""
        if not self.enable:
            return
        for sample in outputs:
            self._test_index += 1
            file = None
            if self.out_dir is not None:
                folder = osp.join(runner.work_dir, runner.timestamp,
                                  self.out_dir)
                mkdir_or_exist(folder)
                name = osp.basename(sample.img_path)
                stem, ending = osp.splitext(name)
                file = osp.join(folder, f'{stem}_{self._drawn[name]}{ending}')
                self._drawn[name] += 1
            self._draw(runner.test_evaluator, sample, 'test_img',
                       self._test_index, file)

    def _draw(self,
              evaluator: Evaluator,
              sample: PoseDataSample,
              name: str,
              step: int,
              file: Optional[str] = None) -> None:
        path = sample.img_path
        image = decode_as_labelled(
            get(path, backend_args=self.backend_args), sample.ori_shape, path)
        self._visualizer.set_dataset_meta(evaluator.dataset_meta)
        self._visualizer.add_datasample(
            osp.basename(path) if self.show else name,
            image[..., ::-1].copy(),  # RGB
            data_sample=merge_data_samples([sample]),
            draw_gt=False,
            draw_bbox=True,
            draw_heatmap=True,
            show=self.show,
            wait_time=self.wait_time,
            kpt_thr=self.kpt_thr,
            out_file=file,
            step=step)
