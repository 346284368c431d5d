import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# a module set to None cannot be imported
CORE_ALONE = '''
import sys
for name in ('mmdet', 'mmpose', 'mmseg', 'mmcv._ext', 'webdataset'):
    sys.modules[name] = None
import saip_mm, saip_mm.tasks.attributes
from mmpretrain.registry import (DATASETS, DATA_SAMPLERS, HOOKS, METRICS,
                                 MODELS)
for registry, name in ((MODELS, 'SAIP'), (DATASETS, 'PersonImages'),
                       (DATA_SAMPLERS, 'ShardSampler'),
                       (DATASETS, 'MarketDataset'),
                       (HOOKS, 'ExpertUpdateHook'),
                       (METRICS, 'PersonRetrievalMetric'),
                       (DATASETS, 'AttributeDataset')):
    assert registry.get(name).__module__.startswith('saip_mm.'), name
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
