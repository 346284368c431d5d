import json

import numpy as np
import pytest

from saip_mm.datasets.fashion_taxonomy import WITH_ATTRIBUTES
from ...test_tools.tool import run_tool
from .fashion_files import changed, write_fashion

pytest.importorskip('mmdet')

from saip_mm.tasks.part_attributes.knowledge import NORMS  # noqa: E402
from saip_mm.tasks.part_attributes.knowledge import \
    count_attributes  # noqa: E402
from saip_mm.tasks.part_attributes.knowledge import normalise  # noqa: E402
from saip_mm.tasks.part_attributes.knowledge import \
    read_knowledge  # noqa: E402
from saip_mm.tasks.part_attributes.knowledge import \
    write_knowledge  # noqa: E402
from saip_mm.weights import file_sha256  # noqa: E402

NAME = 'instances_attributes_train2020.json'
TOOL = 'fashionpedia_knowledge.py'


def test_counts(tmp_path):
    """Two dresses, one of them without attributes, and a crowd."""
    more = changed(4, category_id=10)['annotations']
    more[3].update(iscrowd=1)
    pairs, objects = count_attributes(
        f'{write_fashion(tmp_path, annotations=more)}/{NAME}')
    assert objects.nonzero()[0].tolist() == [10, 23, 31, 33]
    assert objects[10] == 2 and objects.sum() == 5
    assert pairs[10].nonzero()[0].tolist() == [115, 136, 270]
    assert pairs.sum() == 6 and pairs.max() == 1
    matrix = normalise(pairs, objects)
    assert matrix[10, 115] == 0.5 and matrix[31, 157] == 1
    without = [c for c in range(46) if c not in WITH_ATTRIBUTES]
    assert not matrix[without].any()


@pytest.mark.parametrize('norm', NORMS)
def test_norms_agree_on_what_occurs(norm):
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 4, (5, 7)) * rng.integers(0, 2, (5, 7))
    pairs[2] = 0
    objects = pairs.max(1) + rng.integers(0, 3, 5)
    matrix = normalise(pairs, objects, norm)
    assert matrix.dtype == np.float32
    assert ((matrix > 0) == (pairs > 0)).all()
    assert matrix.min() >= 0 and matrix.max() <= 1
    slow = np.zeros(pairs.shape)
    for c, a in np.ndindex(*pairs.shape):
        n = pairs[c, a]
        if n:
            slow[c, a] = dict(
                category=n / objects[c],
                row=n / pairs[c].sum(),
                col=n / pairs[:, a].sum(),
                binary=1,
                log=np.log(1 + n) / np.log(1 + pairs.max()))[norm]
    assert matrix == pytest.approx(slow)


def test_unknown_norm():
    with pytest.raises(ValueError, match='norm must be one of'):
        normalise(np.ones((1, 1)), np.ones(1), 'max')


def test_written_with_a_note(tmp_path):
    root = write_fashion(tmp_path)
    out = f'{root}/made/matrix.npy'
    note = write_knowledge(f'{root}/{NAME}', out)
    matrix = read_knowledge(out)
    assert matrix.shape == (46, 294) and matrix[10, 270] == 1
    assert json.loads((tmp_path / 'made/matrix.npy.json').read_text()) == note
    assert note['source'] == NAME and note['norm'] == 'category'
    assert note['sha256'] == file_sha256(f'{root}/{NAME}')
    assert (note['objects'], note['pairs']) == (6, 8)
    with pytest.raises(ValueError, match='must be named .npy'):
        write_knowledge(f'{root}/{NAME}', f'{root}/matrix')


def test_no_attribute_at_all(tmp_path):
    root = write_fashion(
        tmp_path, annotations=changed(2, id=1)['annotations'][2:3])
    with pytest.raises(ValueError, match='no object has an attribute'):
        write_knowledge(f'{root}/{NAME}', f'{root}/matrix.npy')
    assert not (tmp_path / 'matrix.npy').exists()


def test_tool(tmp_path, capsys):
    root = write_fashion(tmp_path)
    run_tool(TOOL, f'{root}/{NAME}', '--norm', 'binary')
    out = f'{root}/train_norm_attr_knowledge_matrix.npy'
    printed = capsys.readouterr().out
    assert f'{out}: 8 pairs of category and attribute, of 6' in printed
    assert set(np.unique(read_knowledge(out))) == {0, 1}
    with pytest.raises(SystemExit, match="error: .*none.json' does not exist"):
        run_tool(TOOL, f'{root}/none.json')


@pytest.mark.parametrize('matrix, error', [
    (np.ones((48, 320)), r'matrix is \(48, 320\), expected \(46, 294\)'),
    (np.full((46, 294), np.nan), 'of category 0 and attribute number 0 is n'),
    (-np.eye(46, 294), 'of category 0 and attribute number 0 is -1.0'),
    (np.array(['a']), 'is no .npy file of numbers'),
])
def test_bad_files(tmp_path, matrix, error):
    path = str(tmp_path / 'matrix.npy')
    np.save(path, matrix)
    with pytest.raises(ValueError, match=f'matrix.npy.*{error}'):
        read_knowledge(path)


def test_no_file_of_numpy(tmp_path):
    path = tmp_path / 'matrix.npy'
    for content in (b'', b'text', b'\x93NUMPY\x01'):
        path.write_bytes(content)
        with pytest.raises(ValueError, match='is no .npy file of numbers'):
            read_knowledge(str(path))


def test_pickles_are_not_opened(tmp_path):
    path = str(tmp_path / 'matrix.npy')
    np.save(path, np.array([[None]]), allow_pickle=True)
    with pytest.raises(ValueError, match='is no .npy file of numbers'):
        read_knowledge(path)
