"""The room opens without the libraries of other tasks, and of text."""
import pytest

from ...test_core_imports import run_python

ALONE = '''
import sys
for name in ('mmdet', 'mmpose', 'mmseg', 'mmcv._ext', 'transformers', 'ftfy',
             'regex'):
    sys.modules[name] = None
from saip_mm.tasks.text_reid import CaptionTokenizer
try:
    CaptionTokenizer()
except ImportError as error:
    assert 'saip_mm[text]' in str(error), error
else:
    raise AssertionError('a tokenizer without its library')
'''


@pytest.mark.slow
def test_nothing_but_the_core_is_needed_to_import():
    done = run_python(ALONE)
    assert done.returncode == 0, done.stderr
