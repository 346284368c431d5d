"""Real photographs with labels, where they lie beside the repository."""
from pathlib import Path

import pytest

REAL = Path(__file__).parents[3] / 'shared/data/real'
needs_photographs = pytest.mark.skipif(
    not REAL.is_dir(), reason='no real photographs')
