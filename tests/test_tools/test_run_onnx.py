"""The bare script needs neither this package nor torch."""
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip('onnxscript')
pytest.importorskip('onnxruntime')

from saip_mm.apis import export_onnx  # noqa: E402
from ..test_models.tiny_saip import STARNET  # noqa: E402

SCRIPT = Path(__file__).resolve().parents[2] / 'tools' / 'run_onnx.py'
# a module set to None cannot be imported
ALONE = '''
import runpy, sys
for name in ('torch', 'saip_mm', 'mmengine', 'mmpretrain', 'cv2', 'PIL'):
    sys.modules[name] = None
sys.argv.pop(0)
runpy.run_path(sys.argv[0], run_name='__main__')
'''


def run(folder, *arguments):
    return subprocess.run([sys.executable, '-c', ALONE, SCRIPT, *arguments],
                          cwd=folder,
                          capture_output=True,
                          text=True)


@pytest.fixture
def folder(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text(f'backbone = {STARNET!r}')
    torch.manual_seed(0)
    export_onnx(
        str(config), out=str(tmp_path / 'a.onnx'), size=(64, 32), tracker=True)
    return tmp_path


@pytest.mark.slow
def test_pictures_in_vectors_out(folder):
    pictures = np.random.default_rng(1).integers(0, 256, (3, 64, 32, 3),
                                                 np.uint8)
    np.save(folder / 'p.npy', pictures)
    done = run(folder, 'a.onnx', 'p.npy', 'out.npz')
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('features (3, 64) float32')
    vectors = np.load(folder / 'out.npz')['features']
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    files = sorted(p.name for p in folder.iterdir())
    done = run(folder, 'a.onnx', 'p.npy')  # nothing is written unasked
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in folder.iterdir()) == files
    done = run(folder, 'a.onnx')
    assert done.stdout.startswith('features (1, 64) float32')
    np.save(folder / 'p.npy', pictures[:, :32])
    done = run(folder, 'a.onnx', 'p.npy')
    assert done.returncode == 1
    assert 'must be (N, 64, 32, 3) uint8' in done.stderr
    np.savez(folder / 'p.npz', wrong=pictures)
    done = run(folder, 'a.onnx', 'p.npz')
    assert done.returncode == 1 and "got ['wrong']" in done.stderr
    with open(folder / 'a.onnx', 'ab') as file:
        file.write(b'x')
    done = run(folder, 'a.onnx')
    assert done.returncode == 1 and 'a.json is of another file' in done.stderr


def test_mistakes(tmp_path):
    done = run(tmp_path)
    assert done.returncode == 1 and 'python run_onnx.py NAME' in done.stderr
    done = run(tmp_path, 'none.onnx')
    assert done.returncode == 1
    assert 'error: none.onnx does not exist' in done.stderr
