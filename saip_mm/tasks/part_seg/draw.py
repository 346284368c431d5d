import os.path as osp

from mmengine.fileio import get
from mmseg.engine.hooks import SegVisualizationHook
from mmseg.registry import HOOKS

from saip_mm.datasets.transforms import decode_as_labelled


@HOOKS.register_module()
class PartDrawHook(SegVisualizationHook):
    """``SegVisualizationHook`` that draws on the picture as it was loaded.

    mmseg's reads it again and turns it by EXIF, whether its label is turned
    or not. Takes the same arguments; draws the first picture of each
    ``interval``-th batch in validation, all in tests.
    """

    def after_val_iter(self, runner, batch_idx, data_batch, outputs) -> None:
        """Draw the first sample of every ``interval``-th batch."""
        step = runner.iter + batch_idx
        if self.draw and step % self.interval == 0:
            self._draw('val', outputs[0], step)

    def after_test_iter(self, runner, batch_idx, data_batch, outputs) -> None:
        """Draw all samples."""
        for sample in outputs if self.draw else ():
            self._test_index += 1
            self._draw('test', sample, self._test_index)

    def _draw(self, mode: str, sample, step: int) -> None:
        path = sample.img_path
        image = decode_as_labelled(
            get(path, backend_args=self.backend_args), sample.ori_shape, path)
        self._visualizer.add_datasample(
            f'{mode}_{osp.basename(path)}',
            image[..., ::-1].copy(),  # RGB
            data_sample=sample,
            show=self.show,
            wait_time=self.wait_time,
            step=step)
