from mmcv.transforms import BaseTransform
from mmdet.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CheckImageSize(BaseTransform):
    """Compares a loaded picture with the size its data set claims.

    A stale file of sizes is not noticed otherwise: the metric would clip
    boxes to the wrong frame.

    Required keys: ``img_path``, ``img_id``, ``ori_shape``, ``height``,
    ``width``.

    Raises:
        ValueError: While loading, if they differ.
    """

    def transform(self, results: dict) -> dict:
        """Return ``results`` as they are."""
        found = tuple(results['ori_shape'][:2])
        claimed = (results['height'], results['width'])
        if found != claimed:
            raise ValueError(
                f'the file of image sizes (id_hw_*.json) says {claimed[0]}x'
                f'{claimed[1]} for {results["img_id"]}, '
                f'{results["img_path"]} has {found[0]}x{found[1]}; delete it '
                'to rebuild')
        return results
