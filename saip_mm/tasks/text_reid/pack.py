"""A person with sentences, as mmpretrain hands pictures on."""
from typing import Sequence

from mmpretrain.datasets.transforms import PackInputs
from mmpretrain.registry import TRANSFORMS

CAPTION_KEYS = ('pid', 'captions', 'img_path', 'record', 'sample_idx')


@TRANSFORMS.register_module()
class PackCaptions(PackInputs):
    """``PackInputs`` that knows who is shown and what is said of it.

    Required keys: ``input_key`` and all of ``meta_keys``. Optional:
    ``gt_label`` (int). Returned: ``dict(inputs=uint8 tensor (3, h, w),
    data_samples=DataSample)``.

    Args:
        input_key (str): What the model gets. Defaults to 'img'.
        meta_keys (Sequence[str]): What the sample says of the picture.
            Defaults to ``CAPTION_KEYS``.

    Raises:
        ValueError: If a required key is missing.
    """

    def __init__(self,
                 input_key: str = 'img',
                 meta_keys: Sequence[str] = CAPTION_KEYS) -> None:
        super().__init__(input_key, meta_keys=meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack, if everything is there."""
        wanted = (self.input_key, *self.meta_keys)
        missing = [key for key in wanted if key not in results]
        if missing:
            raise ValueError(f'PackCaptions misses {missing} among '
                             f'{sorted(results)}: the data set gives pid and '
                             'captions, DecodeImage the picture')
        return super().transform(results)
