"""Keypoints of crops by a pose model."""
from itertools import islice

import numpy as np
import pytest
import torch

pytest.importorskip('mmpose')

from mmengine.config import Config  # noqa: E402

from saip_mm.datasets.sources import build_source  # noqa: E402
from saip_mm.tasks.pose import whole_image  # noqa: E402
from saip_mm.tasks.pose.whole_image import load_pose_model  # noqa: E402
from saip_mm.tasks.pose.whole_image import points_by_model  # noqa: E402
from ...test_datasets._images import write_tree  # noqa: E402
from ...test_tools.tool import run_tool  # noqa: E402
from ..tiny_backbone import shrink_backbone  # noqa: E402


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """The demo's pose model at a tenth of its width."""
    from pathlib import Path
    root = Path(__file__).parents[3]
    cfg = Config.fromfile(root / 'configs/pose/coco/demo.py')
    widths = shrink_backbone(cfg.model.backbone)
    width = widths[cfg.model.backbone.get('out_indices', (-1, ))[-1]]
    cfg.model.head.in_channels = width
    cfg.model.head.deconv_out_channels = (8, 8)
    path = tmp_path_factory.mktemp('pose') / 'tiny.py'
    cfg.dump(path)
    return str(path)


def random_model(config):
    torch.manual_seed(0)  # refined places may lie anywhere about the box
    return load_pose_model(config, None)


def test_a_row_for_each_picture_in_its_pixels(config, tmp_path):
    names = ['a.jpg', 'b/c.jpg', 'd.jpg']
    root = write_tree(tmp_path / 'p', names, height=120, width=60)
    (tmp_path / 'p/b/c.jpg').write_bytes(b'broken')
    model = random_model(config)
    source = build_source(root)
    one, none, two = points_by_model(model, source, source.keys, 2)
    assert none is None
    for points in (one, two):
        assert points.shape == (17, 3)
        # maps reach beyond the box, by an eighth of its height and more
        assert (np.abs(points[:, 0] - 30) < 70).all()
        assert (np.abs(points[:, 1] - 60) < 90).all()
    again = list(points_by_model(model, source, source.keys, 32))
    np.testing.assert_allclose(again[0], one, atol=1e-3)


def test_box_is_the_whole_picture(config, tmp_path, monkeypatch):
    """A head that answers with one place: it comes back where it is."""
    root = write_tree(tmp_path / 'p', ['a.jpg'], height=120, width=60)
    model = random_model(config)
    width, height = model.cfg.codec['heatmap_size']

    def maps(*args, **kwargs):
        out = torch.zeros(1, 17, height, width)
        out[..., height // 2, width // 2] = 1
        return out

    monkeypatch.setattr(model.head, 'forward', maps)
    points, = points_by_model(model, build_source(root), ['a.jpg'])
    np.testing.assert_allclose(points[:, 0], 30, atol=4)
    np.testing.assert_allclose(points[:, 1], 60, atol=4)
    assert (points[:, 2] > .4).all()  # of the picture and its mirror


def test_missing_files_and_other_joints(config, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="'none.py' not found"):
        load_pose_model('none.py', None)
    with pytest.raises(FileNotFoundError, match="'none.pth' not found"):
        load_pose_model(config, 'none.pth')
    model = random_model(config)
    model.dataset_meta = dict(model.dataset_meta, num_keypoints=133)
    monkeypatch.setattr(whole_image, 'init_model',
                        lambda *args, **kwargs: model)
    with pytest.raises(ValueError, match='finds 133 keypoints'):
        load_pose_model(config, None)


def test_the_tool_goes_on(config, tmp_path, monkeypatch):
    """Cut behind the second of three pictures."""
    names = ['a.jpg', 'b.jpg', 'c.jpg']
    root = write_tree(tmp_path / 'p', names, height=120, width=60)
    model = random_model(config)
    weights = tmp_path / 'tiny.pth'
    torch.save(dict(state_dict=model.state_dict()), weights)
    whole, cut = tmp_path / 'whole.npy', tmp_path / 'cut.npy'
    tool = ('keypoints.py', root)
    run_tool(*tool, whole, '--mmpose', config, weights, '--batch-size', 1)
    asked, find = [], whole_image.points_by_model

    def cut_once(model, source, keys, batch_size):
        asked.append(list(keys))
        found = find(model, source, keys, batch_size)
        if len(asked) > 1:
            yield from found
        else:
            yield from islice(found, 2)
            raise KeyboardInterrupt

    monkeypatch.setattr(whole_image, 'points_by_model', cut_once)
    with pytest.raises(KeyboardInterrupt):
        run_tool(*tool, cut, '--mmpose', config, weights, '--batch-size', 1)
    assert not cut.exists()
    run_tool(*tool, cut, '--mmpose', config, weights, '--batch-size', 1)
    assert asked == [names, names[2:]]
    np.testing.assert_array_equal(np.load(cut), np.load(whole))
    assert not (tmp_path / 'cut.npy.unfinished').exists()
