import torch

from ..tiny_saip import batch_of_crops, build

DINO = dict(
    type='DINOHead',
    decoder=dict(
        type='ImageDecoder',
        hidden_dims=16,
        bottleneck_dims=8,
        num_prototypes=32))


def dino(backbone='vit'):
    return build(
        backbone,
        type='ViewPretraining',
        heads=dict(dino=DINO),
        data_preprocessor=dict(scale_range=(1.0, 1.0)))


def views_of(model, seed=0):
    data = batch_of_crops(num_scales=1, num_locals=8, seed=seed)
    return model.data_preprocessor(data, True)['views']


def restated(model, views):
    """DINO's double loop in float64: loss, pairs, mean of raw targets."""
    head = model.heads['dino'].double()
    student, expert = model.encoder.double(), model.expert.double()
    names = ['anchor', 'scale_1'] + [f'local_{i}' for i in range(1, 9)]
    images = {n: views.images[n].double() for n in names}
    raw = {
        n: expert.decoder(expert.encoder.extract(images[n]))
        for n in names[:2]
    }
    total, pairs = 0., 0
    for t in names[:2]:
        target = ((raw[t] - head.center) / 0.04).softmax(-1)
        for s in names:
            if s == t:
                continue
            logits = head.decoder(student.extract(images[s])) / 0.1
            total -= (target * logits.log_softmax(-1)).sum(-1).mean()
            pairs += 1
    return total / pairs, pairs, torch.cat(list(raw.values())).mean(0)


def test_loss_and_centre_equal_the_double_loop():
    model, other = dino(), dino()
    centre = torch.zeros(32, dtype=torch.float64)
    for step in range(2):
        views = views_of(model, seed=step)
        assert set(views.images) == {'anchor', 'scale_1'
                                     } | {f'local_{i}'
                                          for i in range(1, 9)}
        assert views.images['scale_1'].shape == views.images['anchor'].shape
        loss = model(views, mode='loss')['loss_dino']
        expected, pairs, mean = restated(other, views)
        assert pairs == 18
        torch.testing.assert_close(
            loss.double(), expected, atol=1e-5, rtol=1e-5)
        centre = 0.9 * centre + 0.1 * mean
        other.heads['dino'].center.copy_(centre)
        torch.testing.assert_close(
            model.heads['dino'].center.double(), centre, atol=1e-6, rtol=1e-5)


def test_no_layer_is_idle_but_the_inner_norm():
    model = dino()
    assert model.untrained == ['patch_norm.weight', 'patch_norm.bias']
    model(views_of(model), mode='loss')['loss_dino'].backward()
    for name, param in model.named_parameters():
        assert (param.grad is not None) == param.requires_grad, name
