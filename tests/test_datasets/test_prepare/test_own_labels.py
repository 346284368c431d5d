"""Two public sets written as a user's own."""
import json
from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from saip_mm.datasets.prepare import own_labels
from saip_mm.datasets.prepare.own_labels import (LSP_JOINTS, boxes_of_mask,
                                                 read_lsp, write_lsp,
                                                 write_penn_fudan)
from .._images import write_tree

CONFIGS = Path(__file__).parents[3] / 'configs'


@pytest.fixture
def lsp(tmp_path, monkeypatch):
    """Three pictures; two to train."""
    savemat = pytest.importorskip('scipy.io').savemat
    monkeypatch.setattr(own_labels, 'LSP_TRAIN', 2)
    root = write_tree(tmp_path / 'lsp/images',
                      [f'im000{i}.jpg' for i in (1, 2, 3)])
    joints = np.zeros((3, 14, 3))
    joints[0] = np.linspace(10, 50, 14)[:, None]
    joints[1] = np.linspace(20, 100, 14)[:, None]
    joints[2, 3, 1] = 1  # of the second picture, the left hip is hidden
    savemat(tmp_path / 'lsp/joints.mat', dict(joints=joints))
    return root.rsplit('/', 1)[0]


def test_joints_with_what_is_hidden(lsp):
    joints = read_lsp(f'{lsp}/joints.mat')
    assert joints.shape == (3, 14, 3)
    assert (joints[0, 0] == [10, 20, 2]).all()
    assert joints[1, LSP_JOINTS.index('left_hip'), 2] == 1
    assert (joints[..., 2] == 2).sum() == 3 * 14 - 1


def test_folder_of_joints(lsp, tmp_path):
    path = write_lsp(lsp, str(tmp_path / 'own'), str(CONFIGS))
    train, val = (
        json.loads((tmp_path / f'own/{name}.json').read_text())
        for name in ('train', 'val'))
    assert [i['file_name']
            for i in train['images']] == ['im0001.jpg', 'im0002.jpg']
    assert [i['file_name'] for i in val['images']] == ['im0003.jpg']
    person = train['annotations'][1]
    assert (person['id'], person['image_id']) == (2, 2)
    assert person['num_keypoints'] == 14 and len(person['keypoints']) == 42
    # x 10 to 50, y 20 to 100, times 1.2
    assert person['bbox'] == pytest.approx([6, 12, 48, 96])
    config = Config.fromfile(path, import_custom_modules=False)
    assert config.model.head.out_channels == 14
    for name in ('train', 'val', 'test'):
        data = config[f'{name}_dataloader'].dataset
        assert data.data_root == str(tmp_path / 'own')
        info = data.metainfo.keypoint_info
        assert [info[i].name for i in range(14)] == list(LSP_JOINTS)
        assert info[2].swap == 'left_hip' and info[12].swap == ''
        assert len(data.metainfo.sigmas) == 14


@pytest.mark.parametrize('name, said', [('joints', 'of Leeds Sports Pose'),
                                        ('other', 'has no joints')])
def test_other_joints_are_refused(tmp_path, name, said):
    savemat = pytest.importorskip('scipy.io').savemat
    path = str(tmp_path / 'joints.mat')
    savemat(path, {name: np.zeros((14, 3, 4))})
    with pytest.raises(ValueError, match=said.replace('of ', '')):
        read_lsp(path)
    with pytest.raises(FileNotFoundError, match='comes with lsp_dataset.zip'):
        read_lsp(str(tmp_path / 'gone.mat'))


@pytest.mark.parametrize('folder, suffix', [('PNGImages', '.png'),
                                            ('JPEGImages', '.jpg')])
def test_folder_of_boxes(tmp_path, folder, suffix):
    """Of 17 pictures 5 are to test."""
    names = [f'Ped{i:05d}' for i in range(17)]
    source = write_tree(
        tmp_path / 'penn', [f'{folder}/{name}{suffix}' for name in names],
        height=40,
        width=60)
    (tmp_path / 'penn/PedMasks').mkdir()
    mask = np.zeros((40, 60), np.uint8)
    mask[4:14, 10:15] = 1
    mask[20, 30] = 2
    for name in names:
        Image.fromarray(mask).save(tmp_path / f'penn/PedMasks/{name}_mask.png')
    assert boxes_of_mask(f'{source}/PedMasks/{names[0]}_mask.png') == [
        dict(bbox=[10, 4, 5, 10], area=50),
        dict(bbox=[30, 20, 1, 1], area=1)
    ]
    path = write_penn_fudan(source, str(tmp_path / 'own'), str(CONFIGS))
    val = json.loads((tmp_path / 'own/val.json').read_text())
    assert [i['file_name']
            for i in val['images']] == [name + suffix for name in names[:5]]
    assert val['images'][0]['height'] == 40 and len(val['annotations']) == 10
    train = json.loads((tmp_path / 'own/train.json').read_text())
    assert len(train['images']) == 12
    config = Config.fromfile(path, import_custom_modules=False)
    data = config.val_dataloader.dataset
    assert data.type == 'CocoBoxesDataset' and data.ann_file == 'val.json'
    assert config.val_evaluator.type == 'CocoBoxesMetric'


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='no PedMasks beside'):
        write_penn_fudan(str(tmp_path), str(tmp_path / 'own'), str(CONFIGS))
    with pytest.raises(FileNotFoundError, match="repository's folder"):
        own_labels.penn_fudan_config(str(tmp_path))
