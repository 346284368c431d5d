"""Human pose estimation and whole-body landmarks (COCO), over mmpose."""
from .draw import PersonVisualizationHook
from .heatmap_check import HeatmapCheckHook, check_codec, check_heatmaps
from .load_image import LoadPersonImage
from .metric import KeypointMetric, WholeBodyMetric
from .persons import PersonKeypointsDataset, WholeBodyDataset

__all__ = [
    'HeatmapCheckHook', 'KeypointMetric', 'LoadPersonImage',
    'PersonKeypointsDataset', 'PersonVisualizationHook', 'WholeBodyDataset',
    'WholeBodyMetric', 'check_codec', 'check_heatmaps'
]
