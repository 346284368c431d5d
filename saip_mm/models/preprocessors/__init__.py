from .person_views import PersonViewPreprocessor
from .views import VIEW_KINDS, Views

__all__ = ['PersonViewPreprocessor', 'VIEW_KINDS', 'Views']
