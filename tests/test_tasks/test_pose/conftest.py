import pytest


@pytest.fixture
def said(monkeypatch):
    """Lines of the log by data sets and metrics."""
    from saip_mm.tasks.pose import metric, persons
    lines = []
    for module in (persons, metric):
        monkeypatch.setattr(module, 'print_log',
                            lambda line, **kwargs: lines.append(line))
    return lines
