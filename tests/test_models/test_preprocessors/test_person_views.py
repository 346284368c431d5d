from fractions import Fraction

import pytest
import torch

from saip_mm.models import PersonViewPreprocessor, Views
from saip_mm.models.preprocessors import person_views
from saip_mm.models.view_ops import halve


def crops(batch=3, num_scales=2, num_locals=2, size=(64, 32)):
    generator = torch.Generator().manual_seed(0)
    height, width = size
    sizes = {'anchor': size}
    sizes.update({f'scale_{i + 1}': size for i in range(num_scales)})
    sizes.update({
        f'local_{i + 1}': (height // 2, width // 2)
        for i in range(num_locals)
    })
    sizes['background'] = (64, 64)
    return {
        name:
        torch.randint(
            0, 256, (batch, 3, *s), dtype=torch.uint8, generator=generator)
        for name, s in sizes.items()
    }


def small(**kwargs):
    canvas = dict(size=(64, 64)) | kwargs.pop('canvas', {})
    return PersonViewPreprocessor(
        scale_range=(0.5, 1.5), canvas=canvas, **kwargs)


def test_views_have_the_drawn_sizes():
    torch.manual_seed(0)
    preprocessor = small()
    seen = set()
    for _ in range(20):
        views = preprocessor(dict(inputs=crops()))['views']
        assert views.images['anchor'].shape == (3, 3, 64, 32)
        assert views.images['local_2'].shape == (3, 3, 32, 16)
        assert 'background' not in views.images
        for name in views.scales:
            height, width = views.images[name].shape[-2:]
            assert height == 2 * width and width % 16 == 0
            seen.add(width)
        assert views.images['canvas'].shape == (3, 3, 64, 64)
        assert all(v.dtype == torch.float32 for v in views.images.values())
    assert seen == {16, 32, 48}


def test_scales_are_the_eighths_of_the_paper():
    scales = PersonViewPreprocessor().scales_for((256, 128))
    assert scales == [0.75, 0.875, 1.0, 1.125, 1.25, 1.375, 1.5]


@pytest.mark.parametrize('size', [(256, 128), (336, 112), (384, 160),
                                  (240, 80), (288, 96), (224, 224)])
def test_scales_are_all_those_of_whole_cells(size):
    """Against a search over the sides themselves, in fractions."""
    expected = []
    for width in range(16, 2 * size[1], 16):
        scale = Fraction(width, size[1])
        height = scale * size[0]
        if Fraction(3, 4) <= scale <= Fraction(3, 2) and height % 16 == 0:
            expected.append(float(scale))
    assert PersonViewPreprocessor().scales_for(size) == expected


def test_bounds_of_the_scales_count_in():
    # 2.3 * 160 is 367.99... in floats
    preprocessor = PersonViewPreprocessor(scale_range=(1.1, 2.3))
    scales = preprocessor.scales_for((160, 160))
    assert scales[0] == 1.1 and scales[-1] == 2.3


def test_scales_are_drawn_uniformly():
    torch.manual_seed(0)
    preprocessor = small()
    preprocessor.restrict({'scale'})
    inputs, draws = crops(batch=1), 3000
    counts = dict.fromkeys((16, 32, 48), 0)
    pairs = set()
    for _ in range(draws // 2):
        views = preprocessor(dict(inputs=inputs))['views']
        drawn = tuple(views.images[n].shape[-1] for n in views.scales)
        pairs.add(drawn)
        for width in drawn:
            counts[width] += 1
    # 1000 +- 4 standard deviations of sqrt(3000 * 1/3 * 2/3) = 26
    assert all(abs(count - 1000) < 104 for count in counts.values()), counts
    assert len(pairs) == 9  # a draw of its own for each view
    assert sum(counts.values()) == draws


def test_pasted_person_is_the_view_the_model_gets():
    torch.manual_seed(0)
    preprocessor = small(canvas=dict(alpha=1.0, distractors=0))
    views = preprocessor(dict(inputs=crops()))['views']
    for name in views.scales:
        person = halve(views.images[name])
        for image, (x1, y1, x2, y2) in enumerate(views.boxes[name].tolist()):
            torch.testing.assert_close(
                views.images['canvas'][image, :, y1:y2, x1:x2], person[image])


def flat(levels, num_scales=1):
    """Crops of one grey level an image."""
    inputs = crops(batch=len(levels), num_scales=num_scales, num_locals=0)
    levels = torch.tensor(levels, dtype=torch.uint8).view(-1, 1, 1, 1)
    return {name: levels.expand_as(c).clone() for name, c in inputs.items()}


def pasted_levels(views, name='scale_1'):
    """Mean grey level, 0-255, of the view and of its place on the canvas."""
    red = {n: v[:, 0] * 0.229 + 0.485 for n, v in views.images.items()}
    places = [
        picture[y1:y2, x1:x2].mean()
        for picture, (x1, y1, x2,
                      y2) in zip(red['canvas'], views.boxes[name].tolist())
    ]
    return 255 * red[name].mean((1, 2)), 255 * torch.stack(places)


@pytest.mark.parametrize('photometry, pasted', [('shared', 200), ('own', 55)])
def test_pasted_persons_may_have_a_law_of_their_own(photometry, pasted):
    preprocessor = small(
        canvas=dict(alpha=1.0, photometry=photometry),
        jitter_prob=0.,
        gray_prob=0.,
        solarize=dict(scale=0., pasted=1.))
    views = preprocessor(dict(inputs=flat([200, 200])))['views']
    assert set(views.images) == {'anchor', 'scale_1', 'canvas'}
    view, place = pasted_levels(views)
    torch.testing.assert_close(view, torch.full((2, ), 200.))
    torch.testing.assert_close(place, torch.full((2, ), float(pasted)))


@pytest.mark.parametrize('photometry', ['shared', 'own'])
def test_own_colours_say_nothing_about_the_view(photometry):
    """Correlation of brightness over 400 images: 1, or 0 up to 4 / 20."""
    torch.manual_seed(0)
    preprocessor = small(
        canvas=dict(alpha=1.0, photometry=photometry, distractors=0),
        jitter=(0.4, 0., 0., 0.),
        jitter_prob=1.,
        solarize=dict(scale=0.))
    preprocessor.restrict({'scale', 'canvas'})
    views = preprocessor(dict(inputs=flat([128] * 400)))['views']
    levels = torch.stack(pasted_levels(views))
    assert (levels.std(1) > 20).all()
    correlation = float(torch.corrcoef(levels)[0, 1])
    assert abs(correlation - (photometry == 'shared')) < 0.2


def test_own_colours_are_those_of_the_same_crop():
    torch.manual_seed(0)
    preprocessor = small(
        canvas=dict(
            size=(80, 64),
            alpha=1.0,
            distractors=0,
            photometry='own',
            factor=0.75),
        jitter_prob=0.,
        gray_prob=0.,
        blur=dict(scale=0.),
        solarize=dict(scale=0.))
    views = preprocessor(dict(inputs=crops(num_scales=1)))['views']
    person = preprocessor._shrink(views.images['scale_1'])
    for image, (x1, y1, x2, y2) in enumerate(views.boxes['scale_1'].tolist()):
        torch.testing.assert_close(
            views.images['canvas'][image, :, y1:y2, x1:x2], person[image])


def test_background_and_distractor_come_from_other_images():
    torch.manual_seed(0)
    inputs = flat([40, 120, 200])
    preprocessor = small(
        canvas=dict(alpha=1.0),
        jitter_prob=0.,
        solarize=dict(scale=0., background=0.))
    views = preprocessor(dict(inputs=inputs))['views']
    levels = views.images['canvas'][:, 0] * 0.229 + 0.485
    for i in range(3):
        found = set((levels[i] * 255).round().int().flatten().tolist())
        # the person, the distractor (image i - 2) and the background (i - 1)
        assert found == {40, 120, 200}
        x1, y1, x2, y2 = views.boxes['scale_1'][i].tolist()
        inside = (levels[i, y1:y2, x1:x2] * 255).round()
        assert (inside == 40 + 80 * i).all()


def test_distractors_have_the_sizes_of_the_searched_persons_alike():
    """Neither size gives a distractor away.

    Sizes of 8, 16 and 24 by chance on 96 pixels: every draw has room for
    both persons once more.
    """
    torch.manual_seed(0)
    preprocessor = small(canvas=dict(size=(64, 96)))
    preprocessor.restrict({'canvas'})
    inputs, found = crops(batch=2), []
    for _ in range(240):
        views = preprocessor(dict(inputs=inputs))['views']
        widths = {
            name: int(box[0, 2] - box[0, 0])
            for name, box in (views.boxes | views.distractors).items()
        }
        first, second, other = widths.values()
        assert list(widths) == ['scale_1', 'scale_2', 'distractor_1']
        assert other in (first, second)
        if first != second:
            found.append([other == first, other == min(first, second)])
    # two thirds of the draws; 4 standard deviations of their mean
    shares = torch.tensor(found).double().mean(0)
    assert len(found) > 130
    assert (shares - 0.5).abs().max() < 4 * 0.5 / len(found)**0.5


def test_distractors_stand_where_their_boxes_say():
    torch.manual_seed(0)
    inputs = flat([40, 120, 200])
    preprocessor = small(
        canvas=dict(alpha=1.0, distractors=2, size=(64, 96)),
        jitter_prob=0.,
        solarize=dict(scale=0., background=0.))
    views = preprocessor(dict(inputs=inputs))['views']
    levels = views.images['canvas'][:, 0] * 0.229 + 0.485
    for i in range(3):
        found = set()
        for x1, y1, x2, y2 in (box[i].tolist()
                               for box in views.distractors.values()):
            found |= set((levels[i, y1:y2, x1:x2] *
                          255).round().int().flatten().tolist())
        assert found == {40, 120, 200} - {40 + 80 * i}


def test_background_of_the_data_set_stays_with_its_sample():
    """As it is, not that of the next sample, and in a batch of one too."""
    for batch in (1, 3):
        torch.manual_seed(0)
        inputs = crops(batch)
        level = 40 * torch.arange(1, batch + 1, dtype=torch.uint8)
        inputs['background_other'] = inputs.pop('background').zero_().add_(
            level.view(-1, 1, 1, 1))
        preprocessor = small(
            canvas=dict(alpha=0.), jitter_prob=0., solarize=dict(background=0))
        if batch == 1:
            with pytest.warns(UserWarning, match='no other person'):
                views = preprocessor(dict(inputs=inputs))['views']
        else:
            views = preprocessor(dict(inputs=inputs))['views']
        pixels = (views.images['canvas'][:, 0] * 0.229 + 0.485) * 255
        assert (pixels.round() == level.view(-1, 1, 1)).all()
        assert 'background_other' not in views.images


def test_batch_of_one_falls_back_to_flat_grey():
    preprocessor = small(canvas=dict(alpha=1.0))
    with pytest.warns(UserWarning, match='batch of one'):
        views = preprocessor(dict(inputs=crops(batch=1)))['views']
    outside = torch.ones(64, 64, dtype=torch.bool)
    for name in views.scales:
        x1, y1, x2, y2 = views.boxes[name][0].tolist()
        outside[y1:y2, x1:x2] = False
    assert (views.images['canvas'][0][:, outside] == 0).all()


def test_each_kind_of_view_has_its_law(monkeypatch):
    """Shares of blurred and solarized images, of 4000 a view."""
    blurred, inverted = [], []
    monkeypatch.setattr(person_views, 'gaussian_blur_',
                        lambda images, sigma: blurred.append(sigma))
    monkeypatch.setattr(
        person_views, 'solarize_',
        lambda images, chosen, *law: inverted.append(chosen) or images)
    torch.manual_seed(0)
    preprocessor = small()
    inputs = crops(batch=4000, num_scales=1, num_locals=1)
    inputs = {name: crop[..., :16, :16] for name, crop in inputs.items()}
    preprocessor._augment(inputs)
    # anchor, scale, local, background: DINO's crops
    sigmas, inverted = torch.stack(blurred), torch.stack(inverted)
    laws = [(sigmas > 0, (1.0, 0.1, 0.5, 0.1)),
            (inverted, (0.0, 0.2, 0.0, 0.2))]
    for chosen, law in laws:
        for share, expected in zip(chosen.double().mean(1).tolist(), law):
            bound = 4 * (expected * (1 - expected) / 4000)**0.5
            assert abs(share - expected) <= bound
    anchor = sigmas[0]  # uniform in 0.1 to 2 pixels
    assert 0.1 <= anchor.min() < 0.11 and 1.99 < anchor.max() <= 2.0
    assert abs(float(anchor.mean()) - 1.05) < 4 * 1.9 / (12 * 4000)**0.5


def test_same_seed_gives_the_same_views():
    results = []
    for _ in range(2):
        torch.manual_seed(5)
        results.append(small()(dict(inputs=crops()))['views'])
    for name, image in results[0].images.items():
        assert torch.equal(image, results[1].images[name])
    assert torch.equal(*(r.images['canvas'] for r in results))


def test_views_nobody_asks_for_are_not_made():
    preprocessor = small()
    preprocessor.restrict({'anchor', 'scale'})
    views = preprocessor(dict(inputs=crops()))['views']
    assert list(views.images) == ['anchor', 'scale_1', 'scale_2']
    assert 'canvas' not in views.images


def test_views_nobody_asks_for_are_not_moved(monkeypatch):
    moved = []
    preprocessor = small()
    monkeypatch.setattr(preprocessor, 'cast_data',
                        lambda data: moved.extend(data) or data)
    preprocessor.restrict({'anchor', 'scale'})
    preprocessor(dict(inputs=crops(num_scales=1)))
    assert moved == ['anchor', 'scale_1']


def test_canvas_too_small_is_refused_whatever_is_drawn():
    """Three persons of 48 pixels need 144; smaller draws would fit in 96."""
    preprocessor = small(canvas=dict(size=(64, 96), factor=1.0))
    for seed in range(5):
        torch.manual_seed(seed)
        with pytest.raises(ValueError, match=r'at least \(96, 144\)'):
            preprocessor(dict(inputs=crops(num_scales=3)))
    preprocessor = small(canvas=dict(size=(96, 144), factor=1.0))
    for seed in range(20):
        torch.manual_seed(seed)
        preprocessor(dict(inputs=crops(num_scales=3)))


def test_no_scales_is_allowed_without_canvas():
    views = small()(dict(inputs=crops(num_scales=0)))['views']
    assert views.scales == [] and 'canvas' not in views.images


def test_autocast_does_not_touch_the_pixels():
    torch.manual_seed(0)
    plain = small()(dict(inputs=crops()))['views']
    torch.manual_seed(0)
    with torch.autocast('cpu', torch.bfloat16):
        cast = small()(dict(inputs=crops()))['views']
    assert torch.equal(plain.images['canvas'], cast.images['canvas'])


@pytest.mark.parametrize('kwargs, inputs, match', [
    (dict(canvas=dict(photometry='mine')), None, "use 'shared' or 'own'"),
    (dict(scale_range=(0.8, 0.9)), crops(), 'widen scale_range'),
    (dict(), crops(num_scales=4), 'do not fit side by side'),
    (dict(), {
        k: v
        for k, v in crops().items() if k != 'background'
    }, "'background' crop"),
])
def test_bad_settings_are_named(kwargs, inputs, match):
    torch.manual_seed(3)
    kwargs = dict(canvas=dict(size=(64, 64)), scale_range=(1.0, 1.5)) | kwargs
    with pytest.raises(ValueError, match=match):
        PersonViewPreprocessor(**kwargs)(dict(inputs=inputs))


def test_the_clean_view_is_the_anchor_as_it_was_cut():
    preprocessor = small()
    preprocessor.restrict({'clean'})
    inputs = crops()
    views = preprocessor(dict(inputs=inputs))['views']
    assert 'canvas' not in views.images and 'scale_1' not in views.images
    mean = torch.tensor(preprocessor.mean).view(3, 1, 1)
    std = torch.tensor(preprocessor.std).view(3, 1, 1)
    torch.testing.assert_close(views.images['clean'] * std + mean,
                               inputs['anchor'] / 255)


def test_views_of_unknown_kinds_are_refused():
    with pytest.raises(ValueError, match=r"\['ancor', 'local_1'\] are unkn"):
        small().restrict({'anchor', 'ancor', 'local_1'})


def test_a_batch_without_any_crop_that_is_wanted_is_named():
    preprocessor = small()
    preprocessor.restrict({'local'})
    with pytest.raises(ValueError, match=r"nothing to make \['local'\] views"):
        preprocessor(dict(inputs=crops(num_locals=0)))


def test_a_view_that_is_not_there_is_named():
    views = small()(dict(inputs=crops(num_locals=0)))['views']
    assert views.image('anchor') is views.images['anchor']
    with pytest.raises(ValueError, match="no view 'scale_3': .*anchor, scale"):
        views.image('scale_3')


def test_blank_views_stand_for_any_number_of_a_kind():
    blank = Views.blank(112)
    assert blank.image('scale_7').shape == (1, 3, 112, 112)
    assert blank.scales == ['scale_1']
    assert set(
        blank.images) == {'anchor', 'scale_1', 'local_1', 'clean', 'canvas'}
    assert Views.blank().image('anchor').shape == (1, 3, 64, 64)
    with pytest.raises(ValueError, match="no view 'ancor'"):
        blank.image('ancor')


def test_views_are_of_whole_cells_of_the_encoders():
    """Of 14 pixels; 112 of a student of 16 beside an expert of 14."""
    views = small(canvas=dict(size=(84, 84)))
    with pytest.raises(ValueError, match=r'\(84, 84\) must be .* 16 pixels'):
        views.take_cell(16)
    views.take_cell(14)
    assert views.scales_for((56, 28)) == [0.5, 1.0, 1.5]
    with pytest.raises(ValueError, match='sides divisible by 14'):
        views.scales_for((56, 30))
    # no canvas, no size of it
    views.restrict({'anchor', 'scale'})
    views.take_cell(112)
    assert views.scales_for((224, 112)) == [1.0]


def test_clean_crop_of_its_own():
    """It goes before the anchor, colours untouched, and both may be there."""
    preprocessor = PersonViewPreprocessor()
    preprocessor.restrict({'anchor', 'clean'})
    anchor, clean = torch.randint(0, 256, (2, 3, 3, 64, 32)).byte()
    views = preprocessor(dict(inputs=dict(anchor=anchor)), True)['views']
    for crop, given in ((anchor, dict(anchor=anchor)),
                        (clean, dict(anchor=anchor, clean=clean))):
        views = preprocessor(dict(inputs=given), True)['views']
        assert set(views.images) == {'anchor', 'clean'}
        mean, std = (
            torch.tensor(v).view(3, 1, 1)
            for v in (preprocessor.mean, preprocessor.std))
        torch.testing.assert_close(views.images['clean'],
                                   (crop / 255. - mean) / std)
    preprocessor.restrict({'clean'})
    views = preprocessor(dict(inputs=dict(clean=clean)), True)['views']
    assert list(views.images) == ['clean']


def test_keypoints_of_a_clean_crop_are_not_the_anchors():
    preprocessor = PersonViewPreprocessor()
    preprocessor.restrict({'anchor', 'clean'})
    crops = dict.fromkeys(('anchor', 'clean'),
                          torch.zeros(2, 3, 64, 32).byte())
    points = dict(anchor=torch.zeros(2, 17, 3), clean=torch.ones(2, 17, 3))
    views = preprocessor(dict(inputs=crops, keypoints=points), True)['views']
    for name in points:
        assert torch.equal(views.keypoints[name], points[name])
