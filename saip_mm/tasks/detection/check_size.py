from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS
from mmengine.fileio import get

from saip_mm.datasets.transforms import decode_as_labelled, read_orientation
from saip_mm.datasets.transforms.decode import is_truncated


@TRANSFORMS.register_module()
class CheckImageSize(BaseTransform):
    """Makes a loaded picture the one that its labels were drawn on.

    To follow ``LoadImageFromFile``, which turns some pictures by their EXIF
    note, whatever size the data set claims, and fills what is missing of a
    file with grey. Here a turned picture is the way up that the claimed size
    says, and as EXIF wants it where both ways fit. A stale file of sizes, or
    another copy of the pictures, would not be noticed otherwise: boxes would
    be learnt in wrong places, and clipped to the wrong frame by the metric.

    Required keys: ``img_path``, ``img``. Optional: ``height`` and ``width``,
    the claimed size; without them (a picture of a user's own, by mmdet's
    ``DetInferencer``) nothing is done. ``img_id`` and ``size_file``, which
    the error names.

    Args:
        backend_args (dict, optional): Of mmengine's file client.

    Raises:
        ValueError: While loading, if the sizes differ, turned or not, or if
            the file is cut short.
    """

    def __init__(self, backend_args=None) -> None:
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Return ``results``, with the picture turned if need be."""
        if not (results.get('height') and results.get('width')):
            return results
        claimed = (int(results['height']), int(results['width']))
        path = results['img_path']
        data = get(path, backend_args=self.backend_args)
        if is_truncated(data):
            raise ValueError(f'{path} is cut short: copy it anew')
        loaded = tuple(results['img'].shape[:2])
        if loaded == claimed and read_orientation(data) == 1:
            return results
        try:
            image = decode_as_labelled(data, claimed, path)
        except ValueError as error:
            raise ValueError(_differs(results, claimed, loaded)) from error
        results['img'] = image.astype(results['img'].dtype)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results


def _differs(results: dict, claimed: tuple, found: tuple) -> str:
    source = results.get('size_file', 'the file of image sizes')
    remedy = ('correct its height and width, or take the pictures that were '
              'labelled'
              if results.get('size_is_label') else 'delete it to rebuild')
    return (f'{source} says {claimed[0]}x{claimed[1]} for '
            f'{results.get("img_id")}, {results["img_path"]} has '
            f'{found[0]}x{found[1]}; {remedy} (height x width)')
