import numpy as np
import pytest

from saip_mm.visualization import DRAWINGS, draw
from ..test_models.tiny_saip import batch_of_crops, build, saip_config


def samples(count=3):
    inputs = batch_of_crops(count)['inputs']
    return [
        dict(inputs={
            k: v[i]
            for k, v in inputs.items()
        }) for i in range(count)
    ]


@pytest.mark.parametrize('what', DRAWINGS)
def test_drawings_repeat_and_hold_three_rows(what):
    model = build('vit')
    picture = draw(what, model, samples())
    assert picture.dtype == np.uint8 and picture.ndim == 3
    assert np.array_equal(picture, draw(what, model, samples()))
    assert not np.array_equal(picture, draw(what, model, samples(), seed=1))


@pytest.mark.parametrize('what', ['views', 'search'])
@pytest.mark.parametrize('mode', [True, False])
def test_the_model_is_left_untouched(what, mode):
    model = build('starnet')
    before = {k: v.clone() for k, v in model.state_dict().items()}
    model.train(mode)
    draw(what, model, samples())
    assert model.training == mode
    for name, value in model.state_dict().items():
        assert (value == before[name]).all(), name


def test_search_by_the_anchor_is_drawn():
    config = saip_config('vit')
    config['heads']['css']['query'] = 'anchor'
    model = build('vit', heads=config['heads'])
    picture = draw('search', model, samples())
    # canvas 64 wide, then anchor, its target and what was found
    widths = (64, 48, max(64, 8 * len('anchor target')),
              max(64, 8 * len('anchor found')))
    assert picture.shape[1] == sum(widths) + 4 * len(widths)
