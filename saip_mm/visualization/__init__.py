"""Pictures of what the model gets and gives, as uint8 RGB arrays."""
from .draw import DRAWINGS, draw
from .patterns import PatternRow, draw_patterns
from .ranking import Ranked, draw_rankings
from .reconstruction import draw_reconstruction
from .search import draw_search
from .sheet import grid, head_that, to_pixels
from .views import draw_views

__all__ = [
    'DRAWINGS', 'PatternRow', 'Ranked', 'draw', 'draw_patterns',
    'draw_rankings', 'draw_reconstruction', 'draw_search', 'draw_views',
    'grid', 'head_that', 'to_pixels'
]
