import numpy as np
import pytest
import torch

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg import ace2p  # noqa: E402


def corners(shape):
    """Outer corners of a picture: half a pixel from the centres, x and y."""
    height, width = shape
    return np.array([[x, y, 1] for x in (-.5, width - .5)
                     for y in (-.5, height - .5)])


@pytest.mark.parametrize('shape', [(576, 384), (300, 150), (97, 211)])
def test_the_whole_picture_is_in_the_middle_and_touches_two_sides(shape):
    placed = corners(shape) @ ace2p.fit_matrix(shape, (576, 384)).T
    low, high = placed.min(0), placed.max(0)
    sides = high - low
    assert sides[1] / sides[0] == pytest.approx(shape[0] / shape[1])
    assert (low + high) / 2 == pytest.approx([383 / 2, 575 / 2])
    slack = np.array([384, 576]) - sides
    assert slack.min() == pytest.approx(0) and (slack > -1e-9).all()


def test_scale_and_rotation():
    """Half as large, turned to the right: the upper edge looks right."""
    shape = (40, 20)
    plain = ace2p.fit_matrix(shape, (80, 60))  # twice as large
    turned = ace2p.fit_matrix(shape, (80, 60), scale=2, degrees=90)
    upper = np.array([9.5, -0.5, 1])
    assert plain @ upper == pytest.approx([29.5, -0.5])
    assert turned @ upper == pytest.approx([29.5 + 20, 39.5])


def test_label_and_picture_go_together_and_outside_is_ignored():
    """4x2 into 8x8: twice as large, two columns at each side are not it."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 20, (4, 2), dtype=np.uint8)
    picture = np.repeat(10 * label[..., None], 3, 2)
    results = ace2p.WholePictureAffine((8, 8)).transform(
        dict(img=picture, gt_seg_map=label, seg_fields=['gt_seg_map']))
    inside = results['gt_seg_map'][:, 2:6]
    assert (inside == np.kron(label, np.ones((2, 2)))).all()
    assert (np.delete(results['gt_seg_map'], [2, 3, 4, 5], 1) == 255).all()
    assert results['gt_seg_map'].dtype == np.uint8
    assert (results['img'][:, [0, 1, 6, 7]] == 0).sum() >= 8 * 2 * 3
    assert results['img_shape'] == results['crop_shape'] == (8, 8)
    # centres of the picture's pixels lie between those of the crop
    assert results['img'].shape == (8, 8, 3)
    assert abs(results['img'][3:5, 3:5].astype(int).mean() -
               picture[1:3].mean()) < 12


@pytest.mark.parametrize('shape', [(50, 20), (11, 40), (64, 48)])
def test_brought_back_as_restated(shape):
    rng = np.random.default_rng(shape[0])
    parts = rng.integers(0, 20, (1, 24, 16))
    matrix = ace2p.fit_matrix(shape, (24, 16), 1.2, 13.)
    found = ace2p.bring_back(torch.from_numpy(parts), matrix, shape)
    assert found.shape == (1, *shape)
    for y in range(shape[0]):
        for x in range(shape[1]):
            column, row = matrix @ [x, y, 1]
            nearest = parts[0,
                            min(max(round(row), 0), 23),
                            min(max(round(column), 0), 15)]
            assert found[0, y, x] == nearest


def test_there_and_back():
    """A picture that is enlarged loses nothing."""
    rng = np.random.default_rng(0)
    label = rng.integers(0, 20, (30, 17), dtype=np.uint8)
    results = ace2p.WholePictureAffine((96, 64)).transform(
        dict(
            img=np.zeros((30, 17, 3), np.uint8),
            gt_seg_map=label,
            seg_fields=['gt_seg_map']))
    back = ace2p.bring_back(
        torch.from_numpy(results['gt_seg_map']), results['crop_matrix'],
        label.shape)
    assert (back.numpy() == label).all()


def test_draws():
    np.random.seed(0)
    affine = ace2p.WholePictureAffine((8, 8), 0.25, (0.75, 1.25), 30, 0.6)
    scales, degrees = np.array([affine._draw() for _ in range(4000)]).T
    assert scales.min() == 0.75 and scales.max() == 1.25
    # a normal variable is beyond one sigma in 31.7 % of draws
    assert np.mean(abs(scales - 1) > 0.2499) == pytest.approx(.317, abs=.03)
    assert abs(degrees).max() == 60
    assert np.mean(degrees != 0) == pytest.approx(0.6, abs=0.03)
    assert degrees[degrees != 0].std() == pytest.approx(29, abs=1.5)
    assert ace2p.WholePictureAffine((8, 8))._draw() == (1, 0)


@pytest.mark.parametrize('arguments, error', [
    (dict(size=(0, 8)), 'size is'),
    (dict(size=(8, 8), scale_sigma=1.5), 'scales from -0.5 to 2.5'),
    (dict(size=(8, 8), scale_range=(1.2, .8)), 'scales from 1.2 to 0.8'),
    (dict(size=(8, 8), rotation_prob=6), 'rotation_prob is 6'),
])
def test_impossible_settings(arguments, error):
    with pytest.raises(ValueError, match=error):
        ace2p.WholePictureAffine(**arguments)


def test_the_sample_says_how_it_was_fitted():
    results = ace2p.WholePictureAffine((8, 6)).transform(
        dict(img=np.zeros((4, 3, 3), np.uint8), ori_shape=(4, 3)))
    sample = ace2p.PackPartInputs().transform(results)['data_samples']
    assert sample.crop_shape == (8, 6) and sample.ori_shape == (4, 3)
    assert (sample.crop_matrix == ace2p.fit_matrix((4, 3), (8, 6))).all()
