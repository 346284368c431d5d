from mmengine.fileio import get
from mmseg.registry import TRANSFORMS

from saip_mm.datasets.transforms import BrokenImageError, LoadAnnotatedImage
from saip_mm.datasets.transforms.label_image import label_size


@TRANSFORMS.register_module()
class LoadPartImage(LoadAnnotatedImage):
    """Loads a picture the way up that its label was drawn on.

    EXIF may say that a picture is shown turned. Some tools draw labels on
    pictures as they are stored, others as they are shown; the label's own
    size, read from its header, tells which. Where both fit (half turns,
    mirrors, squares) the picture is turned as viewers do. Labels are read as
    they are stored.

    Required keys: ``img_path``; optional ``seg_map_path``, without which the
    picture is turned as EXIF says. Added: ``img`` (``(H, W, 3)`` uint8,
    BGR), ``img_shape``, ``ori_shape``.

    Args:
        to_float32 (bool): Defaults to False.
        backend_args (dict, optional): Of mmengine's file client.

    Raises:
        BrokenImageError: If the picture is empty, cut short or no picture.
        ValueError: If it fits its label neither turned nor as stored.
    """

    def transform(self, results: dict) -> dict:
        label = results.get('seg_map_path')
        if label:
            content = get(label, backend_args=self.backend_args)
            results['height'], results['width'] = label_size(content, label)
        try:
            return super().transform(results)
        except BrokenImageError:  # a ValueError, too; no matter of the label
            raise
        except ValueError as error:
            raise ValueError(f'{error} (its label is {label})') from error
