from .inspect import build_saip, draw_batch, load_config
from .knn_report import knn_report

__all__ = ['build_saip', 'draw_batch', 'knn_report', 'load_config']
