"""Scale-aware pretraining of person backbones, an OpenMMLab plugin.

Importing it registers datasets, models, hooks and metrics with mmpretrain.
The tasks' libraries (mmdet, mmpose, mmseg) are imported by
``saip_mm.tasks.*`` only.
"""
from .dependencies import check_dependencies
from .version import __version__

check_dependencies()

from . import datasets, engine, evaluation, models  # noqa: E402
from .weights.model_hub import register_models  # noqa: E402

register_models()

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models']
