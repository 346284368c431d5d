import numpy as np
from mmpose.registry import TRANSFORMS

from saip_mm.datasets.transforms import LoadAnnotatedImage


@TRANSFORMS.register_module()
class LoadPersonImage(LoadAnnotatedImage):
    """Loads a picture turned as its boxes and keypoints are.

    Like mmpose's ``LoadImage`` it takes a picture that is loaded already, in
    ``img``: mmpose's inference hands on arrays. All else as
    :class:`LoadAnnotatedImage`.
    """

    def transform(self, results: dict) -> dict:
        if results.get('img') is None:
            return super().transform(results)
        image = results['img']
        if self.to_float32:
            results['img'] = image.astype(np.float32)
        results.setdefault('img_path', None)
        results['img_shape'] = results['ori_shape'] = image.shape[:2]
        return results
