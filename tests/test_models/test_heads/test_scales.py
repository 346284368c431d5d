import pytest

from saip_mm.models import Views
from saip_mm.models.heads.scales import need_scales
from ..tiny_saip import build, views_of


def test_a_batch_without_scales_is_refused():
    need_scales(Views(dict(scale_1=None)))
    for names in ((), ('anchor', 'local_1', 'canvas')):
        with pytest.raises(ValueError, match='num_scales >= 1 in PersonCrops'):
            need_scales(Views(dict.fromkeys(names)))


def test_no_scales_needs_matching_alone():
    model = build('vit', ('csr', 'css'))
    losses = model(views_of(model, num_scales=0), mode='loss')
    assert losses['loss_csm'] > 0
    model = build('vit')
    with pytest.raises(ValueError, match='num_scales >= 1'):
        model(views_of(model, num_scales=0), mode='loss')
