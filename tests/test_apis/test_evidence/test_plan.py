import pytest

from saip_mm.apis.evidence import (Budget, PersonData, evidence_data,
                                   make_evidence, market_data)
from saip_mm.apis.evidence.settings import read_classes


def make(root, *names):
    for name in names:
        if '.' in name:
            (root / name).write_text('1\n')
        else:
            (root / name).mkdir(parents=True)


SEARCH = ('bounding_box_train', 'query', 'bounding_box_test')
PARTS = ('train_images', 'train_segmentations', 'train_id.txt', 'val_id.txt')


def test_folders_are_found_and_a_missing_one_is_named(tmp_path):
    make(tmp_path, 'persons', *(f'reid/{name}' for name in SEARCH))
    with pytest.raises(FileNotFoundError, match='parts/train_images'):
        evidence_data(str(tmp_path))
    make(tmp_path, *(f'parts/{name}' for name in PARTS))
    with pytest.raises(FileNotFoundError, match='classes.txt'):
        evidence_data(str(tmp_path))
    make(tmp_path, 'classes.txt')
    data = evidence_data(str(tmp_path), (str(tmp_path / 'persons'), ))
    assert [s.split('/')[-1] for s in data.sources
            ] == ['persons', 'train_images', 'bounding_box_train', 'persons']
    data = market_data(str(tmp_path / 'reid'))
    assert data.parts is None and data.search == str(tmp_path / 'reid')
    assert data.sources == (str(tmp_path / 'reid' / 'bounding_box_train'), )


def test_an_empty_name_is_no_folder(tmp_path):
    make(tmp_path, *SEARCH)
    for given in (dict(parts=''), dict(more=('', ))):
        with pytest.raises(FileNotFoundError, match="is called '': name it"):
            market_data(str(tmp_path), **given)


@pytest.mark.parametrize('text, names', [
    ('background\n\nleft arm\n', ['background', 'left arm']),
    ('0 background: null\n1 hair: hair\n', ['background', 'hair']),
])
def test_names_of_classes(tmp_path, text, names):
    path = tmp_path / 'classes.txt'
    path.write_text(text)
    assert read_classes(str(path)) == names


def test_classes_out_of_order_are_refused(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('0 background\n2 hair\n')
    with pytest.raises(ValueError, match="'2 hair' is class 1"):
        read_classes(str(path))


def test_a_file_without_classes_is_refused(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('\n')
    with pytest.raises(ValueError, match='classes.txt names no class'):
        read_classes(str(path))


@pytest.mark.parametrize('wrong, message', [
    (dict(epochs=0), '--epochs 0: .* at least 1'),
    (dict(batch_size=-2), '--batch-size -2: '),
    (dict(seeds=(0, -1)), '--seeds -1: .* at least 0'),
])
def test_an_impossible_budget_leaves_no_plan(tmp_path, wrong, message):
    out = tmp_path / 'out'
    with pytest.raises(ValueError, match=message):
        make_evidence([], PersonData(('a', ), 'b'), Budget(**wrong), str(out))
    assert not out.exists()


def test_rows_of_one_table_have_one_budget(tmp_path):
    data, out = PersonData(('a', ), 'b'), str(tmp_path)
    make_evidence([], data, Budget(epochs=2), out)
    make_evidence([], data, Budget(epochs=2), out)
    with pytest.raises(ValueError, match='epochs 2, asked for is 3'):
        make_evidence([], data, Budget(epochs=3), out)
    with pytest.raises(ValueError, match='search b, asked for is c'):
        make_evidence([], data._replace(search='c'), Budget(epochs=2), out)
    (tmp_path / 'plan.json').write_text('{')
    with pytest.raises(ValueError, match="plan.json' is no JSON.*Take the f"):
        make_evidence([], data, Budget(epochs=2), out)
