"""The embedded data: rendered people in the formats of the real data sets.

``people`` are painted, ``scene`` puts them into pictures, ``labels`` says
what is known about them, ``writers`` write it as the real data sets do.
"""
from .generate import write_dataset
from .writers import SIZES, WRITERS

__all__ = ['SIZES', 'WRITERS', 'write_dataset']
