from .base import PersonRetrievalDataset
from .market1501 import MarketDataset

__all__ = ['MarketDataset', 'PersonRetrievalDataset']
