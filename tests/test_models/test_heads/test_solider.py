import pytest
import torch
import torch.nn.functional as F

from mmpretrain.registry import MODELS
from saip_mm.models import TokenDims
from ..tiny_saip import BACKBONES, batch_of_crops, build, total
from .test_dino import DINO

CLASSIFIER = dict(hidden_dims=16, bottleneck_dims=8)


def solider(backbone='vit', **kwargs):
    head = DINO | dict(
        type='SOLIDERHead', part_classifier=CLASSIFIER, **kwargs)
    return build(
        backbone,
        type='ViewPretraining',
        encoder=dict(
            type='SemanticEncoder',
            backbone=BACKBONES[backbone],
            patch_index=1),
        heads=dict(dino=head),
        data_preprocessor=dict(scale_range=(1.0, 1.0)))


def views_of(model, seed=0, batch=4):
    data = batch_of_crops(batch, num_scales=1, num_locals=2, seed=seed)
    return model.data_preprocessor(data, True)['views']


def keep_all(head):
    """Labels with all kinds in every picture."""
    make = head._blank

    def blank(index, crops, part, given):
        tokens = given[-crops:]
        count, length = 0, tokens[0].final.shape[1]
        count = crops * len(tokens[0].final)
        labels = torch.arange(length).remainder(4).repeat(count, 1)
        head._labels = labels, torch.ones(count).bool()
        return make(index, crops, part, given)

    head._blank = blank


@pytest.mark.parametrize('backbone', BACKBONES)
def test_losses_equal_loops(backbone):
    model = solider(backbone)
    head = model.heads['dino']
    keep_all(head)
    model.train()
    views = views_of(model)
    torch.manual_seed(5)
    answers = model.answers(views)['dino']
    weights = head._lambda
    assert set(weights.tolist()) == {0., 1.}
    losses = head.loss(answers, views, model.expert.averages_of('dino'))
    # student: two global and two local crops, twice the globals less a part;
    # expert: the globals for the targets and again for the labels
    kinds = [(a.request.role, a.request.view, a.request.blank
              is not None, tuple(a.request.condition.tolist()))
             for a in answers]
    told, ones = tuple(weights.tolist()), (1., ) * 4
    assert kinds == [
        ('student', v, False, told)
        for v in ('anchor', 'scale_1', 'local_1', 'local_2')
    ] + [('expert', v, False, told) for v in ('anchor', 'scale_1')] + [
        ('expert', v, False, ones) for v in ('anchor', 'scale_1')
    ] + [('student', v, True, told) for v in ('anchor', 'scale_1')]
    terms = []
    classifier = head.part_classifier
    for answer in answers[:2] + answers[-2:]:
        for i, tokens in enumerate(answer.tokens.final):
            for place, token in enumerate(tokens):
                logits = classifier(token[None]).double()
                error = -logits.log_softmax(-1)[0, place % 4]
                terms.append(weights[i] * error)
    torch.testing.assert_close(losses['loss_semantic'].double(),
                               torch.stack(terms).mean())
    matched, pairs = 0., 0
    averaged = model.expert.averages_of('dino')['decoder']
    for t in answers[4:6]:
        target = (averaged(t.tokens.image) / 0.04).double().softmax(-1)
        for s in answers[:4]:
            if s.request.view == t.request.view:
                continue
            logits = head.decoder(s.tokens.image).double() / 0.1
            matched -= (target * logits.log_softmax(-1)).sum(-1).mean()
            pairs += 1
    assert pairs == 6
    torch.testing.assert_close(
        losses['loss_dino'].double(), matched / pairs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_one_part_is_blanked_where_its_label_is(backbone):
    model = solider(backbone)
    head = model.heads['dino']
    keep_all(head)
    views = views_of(model)
    answers = model.answers(views)['dino']
    blank = answers[-1].request.blank
    cells = blank.view(4, 4, 2)
    if backbone == 'vit':
        expected = torch.arange(8).remainder(4).view(4, 2)
    else:  # 2x1 cells at stride 32
        expected = torch.arange(2).view(2, 1).repeat_interleave(
            2, 0).repeat_interleave(2, 1)
    parts = [k for k in (1, 2, 3) if torch.equal(cells[0], expected == k)]
    assert parts and (cells == cells[0]).all()


@pytest.mark.parametrize('weight', [0., 1.])
def test_pictures_at_zero_give_no_semantic_gradient(weight):
    head = solider().heads['dino']
    tokens = torch.randn(4, 8, 16, requires_grad=True)
    weights = torch.tensor([0., weight, 0., weight])
    labels = torch.randint(4, (4, 8))
    kept = torch.tensor([True, True, True, False])
    head.classify(tokens, labels, kept, weights).backward()
    touched = tokens.grad.abs().sum((1, 2)) > 0
    assert touched.tolist() == [False, weight > 0, False, False]
    errors = F.cross_entropy(
        head.part_classifier(tokens[1]), labels[1], reduction='mean')
    loss = head.classify(tokens, labels, kept, weights)
    torch.testing.assert_close(loss, weight * errors / 3)


@pytest.mark.parametrize('backbone', BACKBONES)
def test_no_picture_that_counts(backbone):
    """A zero that all parameters are part of, as DDP wants it."""
    model = solider(backbone)
    head = model.heads['dino']
    make = head._blank

    def blank(index, crops, part, given):
        count = crops * len(given[-1].final)
        head._labels = (torch.ones(count, given[-1].final.shape[1]).long(),
                        torch.zeros(count).bool())
        return make(index, crops, part, given)

    head._blank = blank
    losses = model(views_of(model), mode='loss')
    assert losses['loss_semantic'] == 0
    assert losses['health/labelled'] == 0
    total(losses).backward()
    for name, param in model.named_parameters():
        assert (param.grad is not None) == param.requires_grad, name
    for param in head.part_classifier.parameters():
        assert not param.grad.any()


@pytest.mark.parametrize('backbone', BACKBONES)
def test_every_layer_learns(backbone):
    model = solider(backbone)
    keep_all(model.heads['dino'])
    for seed in range(3):  # a coin each
        total(model(views_of(model, seed), mode='loss')).backward()
    for name, param in model.named_parameters():
        assert (param.grad is not None) == param.requires_grad, name
        if 'controllers' in name or 'part_classifier' in name:
            assert param.requires_grad == (not name.startswith('expert'))
    assert model.untrained == ['patch_norm.weight', 'patch_norm.bias']


def test_classifier_as_released_is_frozen_and_hands_gradients_on():
    head = solider(freeze_part_classifier=True).heads['dino']
    assert not any(p.requires_grad for p in head.part_classifier.parameters())
    tokens = torch.randn(2, 8, 16, requires_grad=True)
    head.classify(tokens,
                  torch.ones(2, 8).long(),
                  torch.ones(2).bool(), torch.ones(2)).backward()
    assert tokens.grad.any()


def test_classifier_is_not_averaged():
    model = solider()
    assert list(model.heads['dino'].averaged()) == ['decoder']
    assert not [k for k in model.expert.state_dict() if 'part_class' in k]


def test_starts_from_a_checkpoint_of_dino():
    """Student, expert and prototypes by the same names."""
    from .test_dino import dino
    before, after = dino().state_dict(), solider().state_dict()
    for key, value in before.items():
        assert after[key].shape == value.shape, key
    new = {
        k.split('.')[2]
        for k in set(after) - set(before) if not k.startswith('encoder')
    }
    assert new == {'part_classifier', '0', '1'
                   } or new == {'part_classifier', 'controllers'}


def test_expert_of_another_grid_is_refused():
    dims = TokenDims(16, 16, 16, 16)
    head = MODELS.build(DINO | dict(
        type='SOLIDERHead',
        part_classifier=CLASSIFIER,
        student_dims=dims,
        expert_dims=dims))
    with pytest.raises(ValueError, match='4 labels for 8 tokens'):
        head.classify(
            torch.randn(2, 8, 16),
            torch.ones(2, 4).long(),
            torch.ones(2).bool(), torch.ones(2))


def test_it_learns_one_batch():
    model = solider('starnet')
    keep_all(model.heads['dino'])
    views = views_of(model)
    optim = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], 2e-3)
    losses = []
    for _ in range(20):
        torch.manual_seed(0)
        loss = model(views, mode='loss')
        optim.zero_grad()
        total(loss).backward()
        optim.step()
        losses.append(loss['loss_semantic'].item())
    assert losses[-1] < 0.9 * losses[0]
