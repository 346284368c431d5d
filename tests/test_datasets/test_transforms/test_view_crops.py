import math
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torchvision.transforms import RandomResizedCrop

from saip_mm.datasets.transforms import PersonCrops, view_crops
from saip_mm.datasets.transforms.view_crops import CropLaws, View
from .._images import photo

LAWS = [
    View('anchor', (256, 128), (0.8, 1.0), (0.4, 0.6)),
    View('local', (128, 64), (0.05, 0.8), (0.4, 0.6)),
    View('background', (256, 256), (0.2, 1.0), (3 / 4, 4 / 3)),
]


def slow_boxes(drawn, views, height, width):
    """torchvision's get_params, fed with given numbers in [0, 1)."""
    count, boxes = len(views), []
    tries = drawn[:20 * count].reshape(2, count, 10)
    place = drawn[20 * count:].reshape(3, count)
    for v, view in enumerate(views):
        box = None
        for k in range(10):
            low, high = view.area
            area = height * width * (low + tries[0, v, k] * (high - low))
            low, high = (math.log(a) for a in view.aspect)
            aspect = math.exp(low + tries[1, v, k] * (high - low))
            w = int(round(math.sqrt(area * aspect)))
            h = int(round(math.sqrt(area / aspect)))
            if 0 < w <= width and 0 < h <= height:
                box = [
                    int(place[0, v] * (height - h + 1)),
                    int(place[1, v] * (width - w + 1)), h, w
                ]
                break
        if box is None:
            h, w = height, width
            if width / height < min(view.aspect):
                h = int(round(width / min(view.aspect)))
            elif width / height > max(view.aspect):
                w = int(round(height * max(view.aspect)))
            box = [(height - h) // 2, (width - w) // 2, h, w]
        boxes.append(box)
    return boxes


@pytest.mark.parametrize('height,width', [(256, 128), (120, 60), (832, 282),
                                          (300, 400), (40, 700), (700, 40),
                                          (3, 2), (1, 1)])
def test_boxes_equal_a_slow_restatement(height, width):
    laws = CropLaws(LAWS)
    for seed in range(50):
        drawn = np.random.default_rng(seed).random(laws.numbers)
        boxes, flips = laws(np.random.default_rng(seed), height, width)
        assert boxes == slow_boxes(drawn, LAWS, height, width)
        assert flips == drawn[-len(LAWS):].tolist()
        for top, left, h, w in boxes:
            assert top >= 0 and left >= 0 and h > 0 and w > 0
            assert top + h <= height and left + w <= width


@pytest.mark.parametrize('view', LAWS, ids=lambda v: v.name)
@pytest.mark.parametrize('height,width', [(300, 150), (280, 180)])
def test_law_is_torchvisions(view, height, width):
    count = 1500
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    law, image = CropLaws([view]), torch.empty(3, height, width)
    ours = [law(rng, height, width)[0][0] for _ in range(count)]
    theirs = [
        RandomResizedCrop.get_params(image, view.area, view.aspect)
        for _ in range(count)
    ]
    for a, b in zip(np.array(ours).T, np.array(theirs).T):
        points = np.unique(np.concatenate([a, b]))
        gap = np.abs(
            np.searchsorted(np.sort(a), points, 'right') -
            np.searchsorted(np.sort(b), points, 'right')).max() / count
        # Kolmogorov-Smirnov, two samples, level 0.001
        assert gap < 1.95 * math.sqrt(2 / count)


def make(image, seed=0, **kwargs):
    results = dict(img=image, rng=np.random.default_rng(seed), key='k')
    return PersonCrops(**kwargs)(results)


def test_names_sizes_and_types_of_the_views():
    item = make(photo())
    assert item['key'] == 'k'
    sizes = {name: tuple(v.shape) for name, v in item['inputs'].items()}
    assert sizes == dict(
        anchor=(3, 256, 128),
        scale_1=(3, 256, 128),
        scale_2=(3, 256, 128),
        **{f'local_{i}': (3, 128, 64)
           for i in range(1, 7)},
        background=(3, 256, 256))
    assert all(v.dtype == torch.uint8 for v in item['inputs'].values())


def test_views_are_optional():
    item = make(photo(), num_scales=0, num_locals=0, background_size=None)
    assert list(item['inputs']) == ['anchor']


def test_background_of_another_image():
    person, behind = photo(), np.full((90, 120, 3), 77, np.uint8)
    rng = np.random.default_rng(0)
    item = PersonCrops()(
        dict(img=person, background_img=behind, rng=rng, key='k'))
    plain = make(person)['inputs']
    assert list(item['inputs'])[:-1] == list(plain)[:-1]
    assert list(item['inputs'])[-1] == 'background_other'
    background = item['inputs']['background_other']
    assert background.shape == (3, 256, 256) and (background == 77).all()
    assert not any((v == 77).all() for v in plain.values())


def test_law_of_the_background_is_its_own():
    """Its boxes, of the other image's size, follow those of the persons."""
    sizes, boxes = [], []

    def remember(levels, box, out):
        sizes.append(levels[0].shape[:2])
        boxes.append(box)
        out[:] = 0

    crops = PersonCrops(num_scales=0, num_locals=0)
    with patch.object(view_crops, 'resize_crop', remember):
        crops(
            dict(
                img=photo(300, 150),
                background_img=photo(200, 400),
                rng=np.random.default_rng(3),
                key=''))
    rng = np.random.default_rng(3)
    expected = [
        CropLaws(LAWS[:1])(rng, 300, 150)[0][0],
        CropLaws(LAWS[2:])(rng, 200, 400)[0][0]
    ]
    assert sizes == [(300, 150), (200, 400)] and boxes == expected


@pytest.mark.parametrize('other', [{}, dict(background_img=photo())])
def test_scales_may_be_the_anchor_itself(other):
    """Resized on the device, as the paper has it; nothing else moves."""
    crops = PersonCrops(num_scales=2, scales_from='anchor')
    plain = PersonCrops(num_scales=0)
    anchor, alone = (
        c(dict(img=photo(), rng=np.random.default_rng(1), key='',
               **other))['inputs'] for c in (crops, plain))
    for name in ('scale_1', 'scale_2'):
        assert torch.equal(anchor.pop(name), anchor['anchor'])
    assert list(anchor) == list(alone)
    assert all(torch.equal(anchor[n], alone[n]) for n in alone)
    assert 'scale_2 = anchor' in repr(crops)


def test_background_without_a_size_is_refused():
    with pytest.raises(ValueError, match='background_size=None'):
        PersonCrops(background_size=None)(
            dict(
                img=photo(),
                background_img=photo(),
                rng=np.random.default_rng(0),
                key=''))


def test_views_depend_on_the_generator_alone():
    crops = PersonCrops()

    def once(seed):
        rng = np.random.default_rng(seed)
        return crops(dict(img=photo(), rng=rng, key=''))['inputs']

    first, other = once((0, 1, 2)), once((0, 1, 3))
    again = once((0, 1, 2))
    assert all(torch.equal(first[k], again[k]) for k in first)
    assert any(not torch.equal(first[k], other[k]) for k in first)


@pytest.mark.parametrize('shape', [(1, 1), (1, 50), (50, 1), (2000, 300)])
def test_any_image_shape(shape):
    inputs = make(photo(*shape))['inputs']
    assert inputs['anchor'].shape == (3, 256, 128)


def test_whole_image_crop_keeps_colours_and_flips():
    image = photo(256, 128)
    law = dict(
        area=(1, 1), aspect=(.5, .5), num_scales=0, num_locals=0,
        background_size=None)  # yapf: disable
    plain = make(image, flip=0, **law)['inputs']['anchor']
    assert np.array_equal(plain.permute(1, 2, 0), image)
    flipped = make(image, flip=1, **law)['inputs']['anchor']
    assert np.array_equal(flipped.permute(1, 2, 0), image[:, ::-1])


@pytest.mark.parametrize('kwargs,match', [
    (dict(size=(250, 128)), 'anchor.*250, 128.*patch size 16'),
    (dict(local_size=(128, 60)), 'local_1.*patch size 16'),
    (dict(background_size=(224, 220)), 'background.*patch size 16'),
    (dict(size=(256, 128), patch_size=48), 'patch size 48'),
    (dict(num_scales=-1), 'num_scales'),
    (dict(scales_from='canvas'), "use 'crops' or 'anchor'"),
    (dict(area=(1.0, 0.8)), 'area'),
    (dict(local_area=(0, 0.8)), 'area'),
    (dict(aspect=(0.6, 0.4)), 'aspect'),
    (dict(flip=1.5), 'flip'),
])
def test_bad_settings(kwargs, match):
    with pytest.raises(ValueError, match=match):
        PersonCrops(**kwargs)


def test_default_laws():
    crops = PersonCrops()
    person = ((256, 128), (0.8, 1.0), (0.4, 0.6))
    local = ((128, 64), (0.05, 0.8), (0.4, 0.6))
    assert [tuple(view[1:]) for view in crops.views
            ] == (3 * [person] + 6 * [local] + [((256, 256), (0.2, 1.0),
                                                 (3 / 4, 4 / 3))])
    assert crops.flip == 0.5


def test_each_law_has_an_argument_of_its_own():
    crops = PersonCrops(
        size=(32, 48),
        num_scales=1,
        num_locals=1,
        local_size=(16, 64),
        background_size=(48, 16),
        area=(.1, .2),
        local_area=(.3, .4),
        background_area=(.5, .6),
        aspect=(.7, .8),
        background_aspect=(.9, 1.1))
    person = ((32, 48), (.1, .2), (.7, .8))
    assert {
        view.name: tuple(view[1:])
        for view in crops.views
    } == dict(
        anchor=person,
        scale_1=person,
        local_1=((16, 64), (.3, .4), (.7, .8)),
        background=((48, 16), (.5, .6), (.9, 1.1)))
    views = make(photo(), **dict(size=(32, 48), local_size=(16, 64)))['inputs']
    assert views['scale_2'].shape == (3, 32, 48)
    assert views['local_6'].shape == (3, 16, 64)


def test_half_of_the_views_are_flipped_by_numbers_of_their_own():
    """The image's columns rise from left to right."""
    image = np.broadcast_to(
        np.arange(0, 240, 4, np.uint8)[:, None], (120, 60, 3))
    crops = PersonCrops(num_locals=0, background_size=None)
    flipped = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        inputs = crops(dict(img=image.copy(), rng=rng, key=''))['inputs']
        flipped.append(
            [bool(v[0, 0, 0] > v[0, 0, -1]) for v in inputs.values()])
        numbers = np.random.default_rng(seed).random(3 * 23)[-3:]
        assert flipped[-1] == (numbers < 0.5).tolist()
    assert {tuple(row)
            for row in flipped[:60]} == {(a, b, c)
                                         for a in (0, 1)
                                         for b in (0, 1)
                                         for c in (0, 1)}


@pytest.mark.parametrize('kwargs', [
    dict(size=(16, 16), local_size=(16, 16), background_size=(16, 16)),
    dict(patch_size=32),
    dict(flip=0.),
    dict(flip=1.),
    dict(area=(1., 1.), aspect=(.5, .5)),
    dict(num_scales=0, num_locals=0),
])
def test_settings_at_their_limits(kwargs):
    assert len(make(photo(), **kwargs)['inputs']) >= 2
