import math

import pytest
import torch
from torch import nn

from saip_mm.tasks.text_reid.heads import (HiddenWordHead, PairMatchingHead,
                                           PersonClassHead)
from saip_mm.tasks.text_reid.pairs import Pairs


def pairs(images, sentences, persons, masked=None, words=None):
    return Pairs(images[:, None] if images.dim() == 2 else images, sentences,
                 masked, words, persons)


def test_golden_value_of_the_classifier():
    head = PersonClassHead(3, 3)
    nn.init.eye_(head.classifier.weight)
    images = torch.tensor([(2., 0, 1), (0, 1, 0), (1, 0, 0)])
    sentences = torch.tensor([(1., 0, 0), (0, 2, 0), (0, 0, 1)])
    out = head.loss(pairs(images, sentences, torch.arange(3)))
    assert out['loss_id'].item() == pytest.approx(0.6421549, rel=1e-6)
    assert out['acc_image'].item() == pytest.approx(2 / 3)
    assert out['acc_text'].item() == 1


def test_golden_value_of_hidden_words():
    """Of ids 0 and others: a label of 0 is nobody's word."""
    head = HiddenWordHead(3, 8, layers=1, heads=2)
    logits = torch.tensor([(0., 1, 2), (1, 1, 1)])  # of the chosen ones
    head.mlm_head = nn.Sequential(nn.Identity())
    head.forward = lambda captions, images: captions
    tokens = torch.stack([logits[0], torch.tensor([3., 0, 1]), logits[1]])
    words = torch.tensor([[2, 0, 1]])
    out = head.loss(
        pairs(torch.zeros(1, 2, 3), None, None, tokens[None], words))
    assert out['loss_irr'].item() == pytest.approx(0.7531091, rel=1e-6)


def test_only_hidden_words_count():
    torch.manual_seed(0)
    head = HiddenWordHead(50, 16, layers=1, heads=2)
    images, masked = torch.randn(2, 5, 16), torch.randn(2, 7, 16)
    words = torch.zeros(2, 7, dtype=torch.long)
    words[0, 2], words[1, 3], words[1, 4] = 7, 9, 11
    loss = head.loss(pairs(images, None, None, masked, words))['loss_irr']
    logits = head.mlm_head(head(masked, images)).log_softmax(-1)
    wanted = -(logits[0, 2, 7] + logits[1, 3, 9] + logits[1, 4, 11]) / 3
    torch.testing.assert_close(loss, wanted)


def test_words_look_at_the_picture_and_at_no_other_one():
    torch.manual_seed(0)
    head = HiddenWordHead(50, 16, layers=1, heads=2).eval()
    images, captions = torch.randn(2, 5, 16), torch.randn(2, 7, 16)
    before = head(captions, images)
    images[1] += torch.randn(5, 16)
    after = head(captions, images)
    torch.testing.assert_close(before[0], after[0])
    assert (before[1] - after[1]).abs().max() > 1e-4


def test_deviations_of_the_start():
    torch.manual_seed(0)
    width = 128
    head = HiddenWordHead(3000, width, layers=4, heads=4)
    narrow = (width * 8)**-0.5
    for weight, wanted in (
        (head.cross_attn.in_proj_weight, width**-0.5),
        (head.cross_attn.out_proj.weight, narrow),
        (head.cross_modal_transformer[1].attn.out_proj.weight, narrow),
        (head.cross_modal_transformer[1].mlp.c_proj.weight, narrow),
        (head.cross_modal_transformer[1].mlp.c_fc.weight, (2 * width)**-0.5),
        (head.mlm_head[0].weight, (2 * width)**-0.5),
        (head.mlm_head[3].weight, narrow),
    ):
        assert weight.std().item() == pytest.approx(wanted, rel=0.03)
    person = PersonClassHead(500, width).classifier
    assert person.weight.std().item() == pytest.approx(1e-3, rel=0.03)
    assert not person.bias.any()


def test_other_losses_of_pairs():
    v, t = torch.eye(3), torch.eye(3)
    ids = torch.arange(3)
    for name in PairMatchingHead.LOSSES:
        head = PairMatchingHead(name, weight=2.)
        value, = head.loss(pairs(v, t, ids)).values()
        assert value.isfinite()
    itc = PairMatchingHead('itc', temperature=1.).loss(pairs(v, t, ids))
    assert itc['loss_itc'].item() == pytest.approx(
        math.log(math.e + 2) - 1, rel=1e-6)
    with pytest.raises(ValueError, match="loss 'mse' is unknown"):
        PairMatchingHead('mse')


def test_a_batch_without_words_to_tell_costs_nothing():
    head = HiddenWordHead(50, 16, layers=1, heads=2)
    words = torch.zeros(2, 7, dtype=torch.long)
    out = head.loss(
        pairs(torch.randn(2, 5, 16), None, None, torch.randn(2, 7, 16), words))
    assert out['loss_irr'] == 0 and out['acc_word'] == 0
    out['loss_irr'].backward()
