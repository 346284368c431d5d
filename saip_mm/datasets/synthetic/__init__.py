"""The embedded data: rendered people in the formats of the real data sets."""
from .generate import write_dataset
from .writers import SIZES, WRITERS

__all__ = ['SIZES', 'WRITERS', 'write_dataset']
