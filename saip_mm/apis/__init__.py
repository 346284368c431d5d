from .inspect import build_saip, draw_batch, load_config

__all__ = ['build_saip', 'draw_batch', 'load_config']
