import pytest
import torch

pytest.importorskip('mmseg')

from saip_mm.tasks.part_seg import ace2p  # noqa: E402
from .tiny import HEAD, WIDTHS, build, samples  # noqa: E402


def maps(widths=WIDTHS, grids=((12, 8), (6, 4), (3, 2), (3, 2))):
    torch.manual_seed(1)
    return [torch.randn(2, width, *grid) for width, grid in zip(widths, grids)]


@pytest.mark.parametrize('in_channels, low, parameters', [
    ([192, 192, 192], 192, 11_409_336),
    ([32, 64, 128, 256], 32, 11_690_616),
    ([64, 128, 160, 256], 32, 11_716_216),
])
def test_parameters_of_the_authors(in_channels, low, parameters):
    """Context, edges, decoder, fusion; added up by hand from their widths."""
    last, c, e, f, k = in_channels[-1], 512, 192, 256, 20
    norm = 2
    context = 4 * c * (last + norm) + 9 * (last + 4 * c) * c + norm * c
    edges = sum(e * (w + norm) for w in in_channels[:3])
    edges += (9 * e * 2 + 2) + (6 * 2 + 2)
    decoder = f * (c + norm) + low * (in_channels[0] + norm)
    decoder += f * (f + low + norm) + f * (f + norm) + k * (f + 1)
    fusion = f * (f + 3 * e + norm) + k * (f + 1)
    head = build(
        dict(
            type='ACE2PHead',
            in_channels=in_channels,
            low_channels=low,
            num_classes=k,
            norm_cfg=dict(type='BN')))
    found = sum(p.numel() for p in head.parameters())
    assert found == context + edges + decoder + fusion == parameters


@pytest.mark.parametrize('widths', [WIDTHS, WIDTHS[:3]])
def test_branches_have_the_size_of_the_finest_map(widths):
    head = build(dict(HEAD, in_channels=widths)).eval()
    found = head.forward_branches(maps(widths))
    assert found.fusion.shape == found.decoder.shape == (2, 5, 12, 8)
    assert found.edge.shape == (2, 2, 12, 8)
    assert torch.equal(head(maps(widths)), found.fusion)


def test_two_maps_are_too_few():
    with pytest.raises(ValueError, match=r'three maps .*\[8, 16\]: set the o'):
        build(dict(HEAD, in_channels=[8, 16]))


@pytest.mark.parametrize('refined', [False, True])
def test_every_parameter_learns_and_every_term_is_named(refined):
    head = build(dict(HEAD, in_channels=WIDTHS, dropout_ratio=0))
    average = head.forward_branches(maps()) if refined else None
    losses = head.loss(maps(), samples(), average=average, count=1)
    assert set(losses) == {
        'loss_fusion_pixel', 'loss_fusion_lovasz', 'loss_decoder_pixel',
        'loss_decoder_lovasz', 'loss_edge', 'loss_consistency', 'acc_seg'
    }
    assert all(value.isfinite().all() for value in losses.values())
    sum(v for k, v in losses.items() if 'loss' in k).backward()
    for name, parameter in head.named_parameters():
        assert parameter.grad is not None and parameter.grad.any(), name


def test_weights_of_the_losses():
    """Half of each for decoder and fusion, one of edges, a tenth."""
    one = build(dict(HEAD, in_channels=WIDTHS, dropout_ratio=0)).eval()
    other = build(
        dict(
            HEAD,
            in_channels=WIDTHS,
            dropout_ratio=0,
            loss_decode=[
                dict(type='RefinableCrossEntropy'),
                dict(type='LovaszSoftmaxLoss')
            ],
            loss_edge=dict(type='BalancedEdgeLoss', loss_weight=1.),
            loss_consistency=dict(type='EdgeConsistencyLoss',
                                  loss_weight=1.))).eval()
    other.load_state_dict(one.state_dict())
    own, whole = (head.loss(maps(), samples()) for head in (one, other))
    for name, value in own.items():
        share = dict(
            loss_edge=1, loss_consistency=0.1, acc_seg=1).get(name, 0.5)
        assert value.item() == pytest.approx(share * whole[name].item()), name


def test_refined_labels_take_the_place_of_hard_ones():
    """In pixel and edge terms, not in overlaps: by the average's fusion."""
    head = build(dict(HEAD, in_channels=WIDTHS, dropout_ratio=0)).eval()
    given = samples()
    label = torch.stack([s.gt_sem_seg.data for s in given])[:, 0]
    torch.manual_seed(2)
    average = ace2p.PartMaps(
        torch.randn(2, 5, 12, 8), torch.full((2, 5, 12, 8), 1e6),
        torch.randn(2, 2, 12, 8))
    hard = head.loss(maps(), given)
    soft = head.loss(maps(), given, average=average, count=3)
    found = head.forward_branches(maps())

    def enlarged(x):
        return torch.nn.functional.interpolate(
            x, size=(48, 32), mode='bilinear', align_corners=False)

    def wanted(logits, said, target):
        aim = ace2p.refine(enlarged(said), target, 3)
        predicted = enlarged(logits).log_softmax(1)
        each = (aim * (aim.log() - predicted)).sum(1)
        return each[label != 255].mean().item()

    assert soft['loss_fusion_pixel'].item() == pytest.approx(
        0.5 * wanted(found.fusion, average.fusion, label), rel=1e-4)
    assert soft['loss_decoder_pixel'].item() == pytest.approx(
        0.5 * wanted(found.decoder, average.fusion, label), rel=1e-4)
    assert soft['loss_edge'].item() == pytest.approx(
        wanted(found.edge, average.edge, ace2p.edge_targets(label)), rel=1e-4)
    for name in ('loss_fusion_lovasz', 'loss_decoder_lovasz',
                 'loss_consistency', 'acc_seg'):
        assert torch.equal(soft[name], hard[name])


def test_all_is_ignored():
    head = build(dict(HEAD, in_channels=WIDTHS))
    given = samples()
    for sample in given:
        sample.gt_sem_seg.data.fill_(255)
    losses = head.loss(maps(), given)
    total = sum(v for k, v in losses.items() if 'loss' in k)
    total.backward()
    assert total == 0
