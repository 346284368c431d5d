import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from ..published import assert_mmpretrain_agrees
from ..tiny_saip import VIT, batch_of_crops, build, total
from .test_part_masking import STANDING


def hap(**kwargs):
    head = dict(
        type='HAPHead', decoder=dict(dims=16, depth=1, num_heads=2), **kwargs)
    encoder = dict(
        type='PlainEncoder',
        patch_index=1,
        backbone=VIT | dict(init='mae', positions='fixed'))
    return build(type='ViewPretraining', heads=dict(hap=head), encoder=encoder)


def views_of(model, keypoints=True, batch=4):
    data = batch_of_crops(batch, num_scales=0, num_locals=0)
    if keypoints:
        points = torch.ones(batch, 17, 3)
        points[..., :2] = torch.from_numpy(STANDING) / 4
        data['keypoints'] = dict(anchor=points)
    return model.data_preprocessor(data, True)['views']


def restated(model, views, answers, gamma=0.05, temperature=0.2):
    """The two terms by loops in float64."""
    head = model.heads['hap']
    image = views.images['clean'].double()
    terms, codes = [], []
    for answer in answers:
        tokens, mask = answer.tokens, answer.request.mask
        pred = head.decoder(tokens.final, tokens.image, mask, tokens.grid)
        errors = []
        for i in range(len(image)):
            for place in mask[i].nonzero().flatten().tolist():
                y, x = 16 * (place // 2), 16 * (place % 2)
                pixels = image[i, :, y:y + 16, x:x + 16].permute(1, 2, 0)
                pixels = pixels.flatten()
                target = (pixels - pixels.mean()) / (pixels.var() +
                                                     1e-6).sqrt()
                errors.append(
                    (pred[i, place].double() - target).square().mean())
        terms.append(torch.stack(errors).mean())
        codes.append(tokens.image.double())
    align = 0.
    for query, key in (codes, codes[::-1]):
        for i in range(len(query)):
            similar = torch.stack(
                [F.cosine_similarity(query[i], k, dim=0)
                 for k in key]) / temperature
            align -= similar.log_softmax(0)[i] / len(query)
    return sum(terms) / 2, gamma * 2 * temperature * align


@pytest.mark.parametrize('keypoints', [True, False])
def test_loss_equals_the_loops(keypoints):
    model = hap().eval()
    views = views_of(model, keypoints)
    answers = model.answers(views)['hap']
    assert [a.request.mask.sum(1).tolist() for a in answers] == [[4] * 4] * 2
    assert not torch.equal(answers[0].request.mask, answers[1].request.mask)
    losses = model.heads['hap'].loss(answers, views, {})
    painted, aligned = restated(model, views, answers)
    torch.testing.assert_close(losses['loss_hap'].double(), painted)
    torch.testing.assert_close(
        losses['loss_hap_align'].double(), aligned, atol=1e-6, rtol=1e-5)
    assert losses['health/part_masked'] == 0 or keypoints


def test_keys_take_no_gradient():
    model = hap()
    image = torch.randn(6, 16, requires_grad=True)
    model.heads['hap']._align(image).backward()
    x = image.detach().double()
    expected = torch.zeros_like(x)
    for a, b in ((0, 3), (3, 0)):
        query = x[a:a + 3].clone().requires_grad_()
        logits = F.normalize(
            query, dim=1) @ F.normalize(
                x[b:b + 3], dim=1).T / 0.2
        loss = 2 * 0.2 * F.cross_entropy(logits, torch.arange(3))
        expected[a:a + 3] = torch.autograd.grad(loss, query)[0]
    torch.testing.assert_close(image.grad.double(), expected)


def test_keypoints_reach_the_head_and_their_absence_is_told_once(log):
    model = hap()
    views = views_of(model)
    assert views.keypoints['clean'].shape == (4, 17, 3)
    model(views, mode='loss')
    assert 'no keypoints' not in log.text
    for _ in range(3):
        losses = model(views_of(model, False), mode='loss')
        assert losses['health/part_masked'] == 0
    assert log.text.count('no keypoints') == 1


def test_every_layer_learns_but_positions_and_the_inner_norm():
    model = hap()
    total(model(views_of(model), mode='loss')).backward()
    for name, param in model.named_parameters():
        idle = name.startswith('encoder.patch_norm') or 'pos_embed' in name
        assert param.requires_grad != idle, name
        assert (param.grad is not None) == param.requires_grad, name


def test_it_learns_one_batch_and_is_published(tmp_path):
    model = hap()
    views = views_of(model)
    optim = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], 5e-3)
    losses = []
    for _ in range(40):
        torch.manual_seed(0)
        loss = total(model(views, mode='loss'))
        optim.zero_grad()
        loss.backward()
        optim.step()
        losses.append(loss.item())
    assert losses[-1] < 0.85 * losses[0]
    assert_mmpretrain_agrees(model, tmp_path)


def _rank_alignment(rank, port, image, path):
    dist.init_process_group(
        'gloo', f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    own = image.view(2, 4, -1)[:, 2 * rank:2 * rank + 2].flatten(0, 1)
    own = own.clone().requires_grad_()
    loss = hap().heads['hap']._align(own)
    loss.backward()
    torch.save((loss.detach(), own.grad), f'{path}/{rank}.pth')
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_align_as_one_with_both_halves(tmp_path, free_port):
    """Each among the persons of both; the gradient DDP averages is half."""
    torch.manual_seed(0)
    image = torch.randn(8, 16, requires_grad=True)
    loss = hap().heads['hap']._align(image)
    loss.backward()
    mp.spawn(
        _rank_alignment, (free_port, image.detach(), str(tmp_path)), nprocs=2)
    losses, grads = zip(*(torch.load(tmp_path / f'{r}.pth') for r in (0, 1)))
    torch.testing.assert_close(sum(losses) / 2, loss.detach())
    found = torch.cat([g.view(2, 2, -1) for g in grads], 1).flatten(0, 1) / 2
    torch.testing.assert_close(found, image.grad)
