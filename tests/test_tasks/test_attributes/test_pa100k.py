import numpy as np
import pytest

from saip_mm.datasets.attribute_names import PA100K, PA100K_ORDER
from saip_mm.datasets.mat_file import write_mat
from saip_mm.tasks.attributes import PA100KDataset
from .attribute_files import pa100k_content, write, write_pa100k


@pytest.mark.parametrize('folder', ['data', 'release_data/release_data'])
def test_splits(tmp_path, folder):
    root, content = write_pa100k(tmp_path, folder), pa100k_content()
    sizes = dict(train=4, val=2, trainval=6, test=3)
    for split, size in sizes.items():
        assert len(PA100KDataset(root, split)) == size
    data = PA100KDataset(root, reorder=False)
    assert data.metainfo['classes'] == PA100K
    labels = np.concatenate([content['train_label'], content['val_label']])
    assert [data[i]['gt_score'].tolist() for i in range(6)] == labels.tolist()
    assert data[5]['img_path'] == f'{root}/{folder}/000006.jpg'
    assert data.metainfo['label_ratio'] == pytest.approx(labels.mean(0))


def test_order_by_region_of_the_body(tmp_path):
    root = write_pa100k(tmp_path)
    sorted_, stored = PA100KDataset(root), PA100KDataset(root, reorder=False)
    assert sorted(PA100K_ORDER) == list(range(26))
    names = sorted_.metainfo['classes']
    assert names[:3] == ('Hat', 'Glasses', 'ShortSleeve')
    assert names[-3:] == ('Front', 'Side', 'Back')
    for i in range(6):
        assert dict(zip(names, sorted_[i]['gt_score'])) == dict(
            zip(PA100K, stored[i]['gt_score']))


def test_some_attributes(tmp_path):
    data = PA100KDataset(
        write_pa100k(tmp_path), metainfo=dict(classes=('Female', 'Hat')))
    assert data.metainfo['classes'] == ('Female', 'Hat')
    assert data[0]['gt_score'].shape == (2, )


def test_two_is_none_and_minus_one_is_unlabelled(tmp_path):
    content = pa100k_content()
    content['train_label'] = content['train_label'].astype(np.int16)
    content['train_label'][0, :2] = 2, -1
    data = PA100KDataset(
        write_pa100k(tmp_path, content=content), reorder=False)
    assert data[0]['gt_score'][:2].tolist() == [0, -1]


def test_other_names_are_told(tmp_path, log):
    content = pa100k_content()
    content['attributes'][3] = 'Child'
    PA100KDataset(write_pa100k(tmp_path, content=content))
    assert "'Child' for 'AgeLess18'" in log.text


@pytest.mark.parametrize('key, value, said', [
    ('val_label', lambda v: v[:1],
     r'val_label has shape \(1, 26\), expected \(2, 26\)'),
    ('train_label', lambda v: v[:, :25],
     r'train_label has shape \(4, 25\), expected \(4, 26\)'),
    ('test_label', lambda v: v * 0 + 7,
     "test_label: attribute 'Female' has value 7 in row 0"),
    ('attributes', lambda v: v[:25], 'has 25 attributes, PA100K has 26'),
    ('attributes', lambda v: v[:25] + ['Hat'], "names 'Hat' twice"),
    ('train_images_name', lambda v: np.zeros(
        (4, 1)), "'train_images_name' is no list"),
])
def test_what_does_not_agree_is_refused(tmp_path, key, value, said):
    root, content = write_pa100k(tmp_path), pa100k_content()
    content[key] = value(content[key])
    write(f'{root}/annotation.mat', write_mat(content))
    with pytest.raises(ValueError, match=f'annotation.mat.*{said}'):
        PA100KDataset(root)


def test_missing_and_foreign_files(tmp_path):
    root = write_pa100k(tmp_path)
    with pytest.raises(
            ValueError,
            match="split 'all' is unknown: use one of "
            'train, val, trainval, test'):
        PA100KDataset(root, 'all')
    (tmp_path / 'data/000003.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='1 of 6 pictures .*000003'):
        PA100KDataset(root)
    content = pa100k_content()
    content.pop('val_label')
    write(f'{root}/annotation.mat', write_mat(content))
    with pytest.raises(
            ValueError,
            match="key 'val_label' not found "
            r'\(found: attributes, test_images_name'):
        PA100KDataset(root)
    (tmp_path / 'annotation.mat').unlink()
    with pytest.raises(FileNotFoundError, match='Expected: annotation.mat'):
        PA100KDataset(root)
