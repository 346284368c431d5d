from .batch_statistics import measure_statistics
from .config import load_config
from .edge import export_onnx
from .features import extract_features
from .gradient_balance import balance_report, gradient_balance
from .inspect import build_model, draw_batch
from .knn_report import knn_report
from .models import backbone_config, load_backbone
from .patterns import compare_patterns
from .picture_search import draw_found, search_pictures
from .reconstruction_report import reconstruction_report
from .search_report import search_report
from .start import pretrain
from .testing import evaluate
from .training import train

__all__ = [
    'backbone_config', 'balance_report', 'build_model', 'compare_patterns',
    'draw_batch', 'draw_found', 'evaluate', 'export_onnx', 'extract_features',
    'gradient_balance', 'knn_report', 'load_backbone', 'load_config',
    'measure_statistics', 'pretrain', 'reconstruction_report',
    'search_pictures', 'search_report', 'train'
]
