from .canvas import (above_distractors, cell_targets, mean_inside,
                     paste_persons, place_persons)
from .photometric import (ColourDraw, apply_colour, channel_means,
                          compose_colour, draw_colour, gaussian_blur_, halve,
                          normalising_maps, solarize_)
from .resize import resize_crops

__all__ = [
    'ColourDraw', 'above_distractors', 'apply_colour', 'cell_targets',
    'channel_means', 'compose_colour', 'draw_colour', 'gaussian_blur_',
    'halve', 'mean_inside', 'normalising_maps', 'paste_persons',
    'place_persons', 'resize_crops', 'solarize_'
]
