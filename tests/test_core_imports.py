import os
import subprocess
import sys
from pathlib import Path

import pytest

from saip_mm.dependencies import check_version

ROOT = Path(__file__).resolve().parents[1]
# a module set to None cannot be imported
CORE_ALONE = '''
import sys
for name in ('mmdet', 'mmpose', 'mmseg', 'mmcv._ext'):
    sys.modules[name] = None
import saip_mm
from mmpretrain.registry import DATASETS, HOOKS, METRICS, MODELS
for registry, name in ((MODELS, 'SAIP'), (DATASETS, 'PersonImages'),
                       (DATASETS, 'MarketDataset'),
                       (HOOKS, 'ExpertUpdateHook'),
                       (METRICS, 'PersonRetrievalMetric')):
    assert registry.get(name).__module__.startswith('saip_mm.'), name
'''
WITHOUT_MMCV = '''
import sys
from importlib.abc import MetaPathFinder
class Block(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == 'mmcv':
            raise ModuleNotFoundError('No module', name='mmcv')
sys.meta_path.insert(0, Block())
import saip_mm
'''


def run_python(code: str) -> subprocess.CompletedProcess:
    env = dict(os.environ, PYTHONPATH=str(ROOT))
    return subprocess.run([sys.executable, '-c', code],
                          env=env,
                          capture_output=True,
                          text=True)


@pytest.mark.slow
def test_core_needs_no_task_library_and_no_compiled_operator():
    done = run_python(CORE_ALONE)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_missing_library_is_named_with_a_remedy():
    done = run_python(WITHOUT_MMCV)
    assert 'ImportError: saip_mm needs mmcv>=2.0.0,<3.0.0' in done.stderr
    assert 'pip install "onedl-mmcv' in done.stderr


@pytest.mark.parametrize('name, found', [
    ('mmengine', '0.8.3'),
    ('mmengine', '0.10.7'),
    ('mmengine', '0.10.12'),
    ('mmcv', '2.0.0'),
    ('mmcv', '2.2.0'),
    ('mmcv', '2.3.6'),
    ('mmpretrain', '1.0.0'),
    ('mmpretrain', '1.2.0'),
    ('mmpretrain', '1.3.6'),
])
def test_official_and_onedl_versions_pass(name, found):
    check_version(name, found)


@pytest.mark.parametrize('name, found', [
    ('mmengine', '0.7.4'),
    ('mmcv', '1.7.2'),
    ('mmcv', '2.0.0rc4'),
    ('mmcv', '3.0.0'),
    ('mmpretrain', '0.25.0'),
])
def test_version_error_says_found_wanted_remedy(name, found):
    with pytest.raises(ImportError) as error:
        check_version(name, found)
    message = str(error.value)
    assert f'found {name} {found}' in message
    assert f'{name}>=' in message and 'pip install' in message
