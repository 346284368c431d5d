from .config import load_config
from .inspect import build_saip, draw_batch
from .knn_report import knn_report
from .testing import evaluate
from .training import train

__all__ = [
    'build_saip', 'draw_batch', 'evaluate', 'knn_report', 'load_config',
    'train'
]
