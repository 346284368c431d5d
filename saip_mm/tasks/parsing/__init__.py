"""Multiple human parsing (CIHP) over mmdet: persons and their parts."""
from .dataset import CIHPDataset
from .draw import ParsingDrawHook, ParsingLocalVisualizer
from .flips import ParsingRandomFlip
from .gce_head import GCEParsingHead
from .load_parsing import LoadParsing
from .metric import ParsingMetric
from .pack import PackParsingInputs
from .part_count import PartCountHook
from .roi_head import ParsingRoIHead

__all__ = [
    'CIHPDataset', 'GCEParsingHead', 'LoadParsing', 'PackParsingInputs',
    'ParsingDrawHook', 'ParsingLocalVisualizer', 'ParsingMetric',
    'ParsingRandomFlip', 'ParsingRoIHead', 'PartCountHook'
]
