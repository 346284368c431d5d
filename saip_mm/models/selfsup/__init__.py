from .routing import ViewPretraining
from .saip import SAIP

__all__ = ['SAIP', 'ViewPretraining']
