import sys

import pytest
import torch

from saip_mm.apis import search_report
from saip_mm.apis.search_report import (SearchScores, area_under_curve,
                                        covered_cells, nearest_colour,
                                        overlap_of_best, score_searches)
from ..test_models.tiny_saip import batch_of_crops, build

MODULE = sys.modules[nearest_colour.__module__]


def test_nearest_colour_by_hand():
    """Canvases of 2 x 2 pixels, grey.

    0.2 0.6    person: first row, 0.4
    0.0 0.9    distractors: 0.0 and 0.9
    """
    canvas = torch.tensor([[0.2, 0.6], [0.0, 0.9]]).expand(1, 3, 2, 2)
    targets = torch.tensor([1., 1., 0., 0.]).expand(4, 1, 4)
    distractors = torch.eye(4)[2:, None]
    asking = torch.tensor([0.3, 0.1, 0.6, 0.7]).view(4, 1, 1).expand(4, 1, 3)
    # distances to person and distractors: .1 .3 .6, .3 .1 .8, .2 .6 .3,
    # .3 .7 .2
    found = nearest_colour(asking, canvas, targets, distractors)
    assert found[:, 0].tolist() == [True, False, True, False]


def test_nearest_colour_tells_channels_apart():
    red, green = torch.eye(3)[:2]
    canvas = torch.stack([red, green], 1).view(1, 3, 1, 2)
    person, other = torch.eye(2)[:, None, None]
    asking = torch.stack([red, green])[:, None]
    found = nearest_colour(asking, canvas, person.expand(2, 1, 2), other)
    assert found[:, 0].tolist() == [True, False]


def views_of(model, **kwargs):
    torch.manual_seed(0)
    return model.data_preprocessor(batch_of_crops(**kwargs))['views']


@pytest.mark.parametrize('answer, right', [('targets', True),
                                           ('distractors', False)])
def test_model_is_scored_by_its_own_answers(monkeypatch, answer, right):
    """A model that marks the person, and one that marks the other."""
    model = build('vit')
    head, views = model.heads['css'], views_of(model)
    given = getattr(head, answer)(views)
    given = given if right else given.expand(2, *given.shape[1:])
    monkeypatch.setattr(head, 'search', lambda *tokens: 8 * given - 4)
    found = score_searches(model, views)
    assert all(part.shape == (2, 4) for part in found)
    assert bool((found.right == right).all())
    marked, other = found.person_iou, found.other_iou
    if not right:
        marked, other = other, marked
    assert bool((marked > other).all())
    # persons stand apart: what marks the one rates the other's place lower
    assert bool((found.person_auc > 0.5).all()) == right


def test_pasted_colours_give_the_person_away():
    """Grey persons, each of its own level: the nearest one is the person."""
    model = build('vit')
    preprocessor = model.data_preprocessor
    preprocessor.colour.update(jitter_prob=0., gray_prob=0.)
    preprocessor.solarize.update(scale=0., background=0.)
    data = batch_of_crops()
    for crop in data['inputs'].values():
        crop[:] = torch.tensor([20, 90, 160, 230])[:, None, None, None]
    preprocessor.canvas.update(alpha=1.)
    by_colour = score_searches(model, preprocessor(data)['views']).by_colour
    assert bool(by_colour.all())


def test_what_cannot_be_scored_is_named():
    model = build('vit', ('css', ))
    with pytest.raises(ValueError, match=r'no head of .* searches'):
        score_searches(model, views_of(model))
    model = build('vit')
    model.data_preprocessor.canvas['distractors'] = 0
    with pytest.raises(ValueError, match='set canvas.distractors'):
        score_searches(model, views_of(model))


def test_overlap_and_curve_by_loops():
    rng = torch.Generator().manual_seed(0)
    response = torch.rand(2, 3, 7, generator=rng).round(decimals=1)
    person = torch.rand(2, 3, 7, generator=rng) > 0.5
    person[..., 0], person[..., 1] = True, False
    other = torch.rand(2, 3, 7, generator=rng) > 0.5
    iou = overlap_of_best(response, person, other)
    auc = area_under_curve(response, person)
    for n in range(2):
        for b in range(3):
            row, cells = response[n, b].tolist(), person[n, b].tolist()
            pairs = [(row[i], row[j]) for i in range(7) for j in range(7)
                     if cells[i] and not cells[j]]
            won = [1. if i > j else 0.5 if i == j else 0. for i, j in pairs]
            assert float(auc[n, b]) == pytest.approx(sum(won) / len(won))
            best = set(
                response[n, b].argsort(descending=True)[:sum(cells)].tolist())
            place = set(other[n, b].nonzero().flatten().tolist())
            assert float(iou[n, b]) == pytest.approx(
                len(best & place) / len(best | place))


def test_a_person_smaller_than_a_cell_has_one():
    shares = torch.tensor([[0.1, 0.06, 0.04, 0.], [1., 0.5, 0.4, 0.]])
    assert covered_cells(shares).tolist() == [[True, True, False, False],
                                              [True, True, False, False]]


def test_report_counts_the_searches(config, monkeypatch):  # noqa: F811
    right = iter([[True, True, True, False], [True, False, True, True]])
    part = torch.full((2, 2), 0.25)

    def score(model, views):
        by_model = torch.tensor(next(right)).view(2, 2)
        return SearchScores(by_model,
                            torch.zeros(2, 2).bool(), part, 2 * part, 3 * part,
                            part)

    monkeypatch.setattr(MODULE, 'score_searches', score)
    lines = search_report(str(config), batches=2, batch=2).splitlines()
    assert lines[0] == '8 searches, each beside 1 distractor, %'
    assert [line[24:].split() for line in lines[2:]] == [
        ['50.0', '50.0', '50.0'],
        ['0.0'],
        ['75.0', '25.0', '50.0', '75.0', '25.0'],
    ]
    assert lines[-1].startswith('random start')


def test_a_checkpoint_without_a_name_is_no_random_start(config):
    with pytest.raises(FileNotFoundError):
        search_report(str(config), '', batches=1, batch=2)


def test_a_checkpoint_stands_beside_the_random_start(config, tmp_path):
    model = build('vit')
    torch.manual_seed(1)
    for value in model.heads['css'].parameters():
        torch.nn.init.normal_(value)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'a.pth')
    lines = search_report(
        str(config), str(tmp_path / 'a.pth'), batches=2, batch=3).splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ['random', 'model']
    assert lines[-1].split()[1:] != lines[-2].split()[2:]
