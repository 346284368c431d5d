"""Human pose estimation and whole-body landmarks (COCO), over mmpose."""
from .heatmap_check import HeatmapCheckHook, check_codec, check_heatmaps
from .metric import KeypointMetric, WholeBodyMetric
from .persons import PersonKeypointsDataset, WholeBodyDataset

__all__ = [
    'HeatmapCheckHook', 'KeypointMetric', 'PersonKeypointsDataset',
    'WholeBodyDataset', 'WholeBodyMetric', 'check_codec', 'check_heatmaps'
]
