"""Its contents are in saip_mm.weights now."""
from .weights.moved import moved_to_weights

__getattr__ = moved_to_weights(__name__)
