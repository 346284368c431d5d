from .person_views import VIEW_KINDS, PersonViewPreprocessor, Views

__all__ = ['PersonViewPreprocessor', 'VIEW_KINDS', 'Views']
