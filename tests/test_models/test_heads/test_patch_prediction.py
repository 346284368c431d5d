import pytest
import torch

from saip_mm.models import Request, Views
from saip_mm.models.heads.patch_prediction import PatchPredictionHead


class Constant(PatchPredictionHead):
    """Predicts a constant for the patches of a view."""
    objective = 'constant'

    def predict(self, answers):
        request, = answers
        return request, torch.full((*request.mask.shape, 3 * 4), 2.)


def test_loss_of_the_hidden_patches_by_hand():
    """Normalised pixels have mean 0 and (n - 1) / n as mean square."""
    torch.manual_seed(0)
    image = torch.randn(2, 3, 4, 6)
    mask = torch.zeros(2, 6, dtype=torch.bool)
    mask[0, 1] = mask[1, 4] = True
    request = Request('scale_1', 'student', ('inner', ), mask)
    head = Constant(stride=2, mask_ratio=0.5, loss_weight=3.)
    views = Views(dict(anchor=torch.zeros(2, 3, 4, 6), scale_1=image))
    loss = head.loss([request], views, {})
    assert set(loss) == {'loss_constant'}
    expected = 3 * (2.**2 + 11 / 12)
    assert float(loss['loss_constant']) == pytest.approx(expected, rel=1e-4)
    assert head.averaged() == {} and head.mask_ratio == 0.5
    assert head.state_dict() == {} and head.training


def test_a_base_predicts_nothing():
    with pytest.raises(NotImplementedError):
        PatchPredictionHead(2, 0.5, 1.).predict([])
