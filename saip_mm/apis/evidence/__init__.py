"""Pretraining methods under one small budget, measured on real persons."""
from .plan import Budget, PersonData, evidence_data, market_data
from .report import as_markdown
from .rows import ROWS, Row, rows_named
from .runs import make_evidence

__all__ = [
    'Budget', 'PersonData', 'ROWS', 'Row', 'as_markdown', 'evidence_data',
    'make_evidence', 'market_data', 'rows_named'
]
