from .person_views import PersonViewPreprocessor, Views

__all__ = ['PersonViewPreprocessor', 'Views']
