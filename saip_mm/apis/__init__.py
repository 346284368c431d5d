from .config import load_config
from .edge import export_onnx
from .gradient_balance import balance_report, gradient_balance
from .inspect import build_model, draw_batch
from .knn_report import knn_report
from .search_report import search_report
from .testing import evaluate
from .training import train

__all__ = [
    'balance_report', 'build_model', 'draw_batch', 'evaluate', 'export_onnx',
    'gradient_balance', 'knn_report', 'load_config', 'search_report', 'train'
]
