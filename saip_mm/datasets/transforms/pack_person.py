"""A labelled person as mmpretrain hands pictures on."""
from typing import Sequence

from mmpretrain.datasets.transforms import PackInputs
from mmpretrain.registry import TRANSFORMS

PERSON_KEYS = ('pid', 'camid', 'is_query', 'img_path', 'sample_idx')


@TRANSFORMS.register_module()
class PackPerson(PackInputs):
    """``PackInputs`` that knows whose picture it is, and insists on it.

    Required keys: ``input_key`` and all of ``meta_keys``. Optional:
    ``gt_label`` (int). Returned: ``dict(inputs=tensor (3, h, w),
    data_samples=DataSample)``; the sample has the ``meta_keys``, and
    ``gt_label`` as a tensor ``(1, )`` int64.

    Args:
        input_key (str): What the model gets: 'inputs' after
            :class:`ResizePerson`, 'img' after mmpretrain's transforms.
            Defaults to 'inputs'.
        algorithm_keys (Sequence[str]): Further fields of the sample.
            Defaults to none.
        meta_keys (Sequence[str]): What the sample says of the picture.
            Defaults to ``PERSON_KEYS``.

    Raises:
        ValueError: If a required key is missing. mmpretrain's own leaves out
            what it does not find.
    """

    def __init__(self,
                 input_key: str = 'inputs',
                 algorithm_keys: Sequence[str] = (),
                 meta_keys: Sequence[str] = PERSON_KEYS) -> None:
        super().__init__(input_key, algorithm_keys, meta_keys)

    def transform(self, results: dict) -> dict:
        """Pack, if everything is there."""
        wanted = (self.input_key, *self.meta_keys)
        missing = [key for key in wanted if key not in results]
        if missing:
            raise ValueError(
                f'PackPerson misses {missing} among {sorted(results)}: the '
                'data set gives pid, camid and is_query, the transforms '
                "before it the picture ('inputs' of ResizePerson; for "
                "mmpretrain's 'img' set input_key='img')")
        return super().transform(results)
