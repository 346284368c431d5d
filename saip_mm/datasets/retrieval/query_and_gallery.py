"""Both sides of a search for persons as one data set."""
from mmengine.dataset import ConcatDataset

from mmpretrain.registry import DATASETS


@DATASETS.register_module()
class QueryAndGallery(ConcatDataset):
    """Query, then gallery, of one set: what a test runs over.

    ``is_query`` of each sample tells them apart.

    Args:
        reader (str): Type of the data set, one with the splits 'query' and
            'gallery'.
        lazy_init (bool): Whether to load later. Defaults to False.
        **kwargs: Of that data set; the same for both.

    Example:
        >>> val_dataloader = dict(
        ...     dataset=dict(
        ...         type='QueryAndGallery',
        ...         reader='MarketDataset',
        ...         data_root='data/market1501'))
    """

    def __init__(self, reader: str, lazy_init: bool = False, **kwargs) -> None:
        super().__init__([
            DATASETS.build(
                dict(kwargs, type=reader, split=split, lazy_init=True))
            for split in ('query', 'gallery')
        ],
                         lazy_init=lazy_init,
                         ignore_keys=['num_ids', 'num_cams'])
