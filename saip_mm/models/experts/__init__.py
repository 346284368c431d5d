from .base import Expert
from .ema import EmaExpert
from .frozen import FrozenExpert

__all__ = ['EmaExpert', 'Expert', 'FrozenExpert']
