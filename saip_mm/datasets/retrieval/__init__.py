from .base import PersonRetrievalDataset
from .market1501 import MarketDataset
from .msmt17 import MSMT17Dataset
from .query_and_gallery import QueryAndGallery

__all__ = [
    'MSMT17Dataset', 'MarketDataset', 'PersonRetrievalDataset',
    'QueryAndGallery'
]
