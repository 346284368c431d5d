import json

import pytest
import torch
from torch.utils.data import Dataset

from mmpretrain.structures import DataSample
from saip_mm.engine import RetrievalMonitorHook
from saip_mm.engine.hooks.retrieval_monitor import evaluating
from ..toy import ToyModel, toy_runner

STATISTICS = ToyModel.input_statistics


class Persons(Dataset):
    """One colour a person, so that any encoder finds them again."""

    def __init__(self, cam, persons=6):
        self.cam, self.persons = cam, persons

    def __len__(self):
        return self.persons

    def __getitem__(self, index):
        colour = torch.tensor([40 * index, 250 - 40 * index, 20 * index])
        image = colour.view(3, 1, 1).expand(3, 8, 6).to(torch.uint8)
        who = DataSample(metainfo=dict(pid=index + 1, camid=self.cam))
        return dict(inputs=image, data_samples=who)


def hook(**kwargs):
    return RetrievalMonitorHook(
        Persons(0), Persons(1), **dict(dict(batch_size=4), **kwargs))


def logged(folder):
    path, = folder.glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if 'knn/map' in line]


@pytest.mark.parametrize('kwargs, steps', [
    (dict(interval=1), [0, 5, 10]),
    (dict(interval=2, before_train=False), [10]),
    (dict(interval=4, by_epoch=False), [0, 4, 8, 10]),
    (dict(interval=0), []),
    (dict(interval=0, by_epoch=False), []),
])
def test_when_it_scores(tmp_path, kwargs, steps):
    runner = toy_runner(tmp_path, [hook(**kwargs)])
    runner.train()
    lines = logged(tmp_path)
    assert [line['step'] for line in lines] == steps
    names = {
        f'knn/{whose}{score}'
        for whose in ('', 'expert_')
        for score in ('rank1', 'rank5', 'rank10', 'map', 'minp')
    }
    assert all(set(line) == names | {'step'} for line in lines)
    if not steps:
        return
    assert runner.message_hub.get_scalar('knn/rank1').current() == \
        lines[-1]['knn/rank1']


def test_frozen_expert_is_not_scored(tmp_path):
    runner = toy_runner(tmp_path, [hook()], model=ToyModel(False), epochs=1)
    runner.train()
    assert 'knn/expert_map' not in runner.message_hub.log_scalars


def test_training_is_not_disturbed(tmp_path):
    weights = []
    for name, hooks in (('a', []), ('b', [hook(interval=1)])):
        runner = toy_runner(tmp_path / name, ['IterationSeedHook'] + hooks)
        runner.train()
        weights.append(runner.model.state_dict())
    for key, value in weights[0].items():
        assert torch.equal(value, weights[1][key]), key


def test_modes_are_restored():
    model = ToyModel()
    model.train()
    with evaluating(model.encoder):
        assert not model.encoder.drop.training
    assert model.encoder.drop.training and not model.expert.training
    with evaluating(model.expert.encoder):
        pass
    assert not model.expert.encoder.norm.training
    # each module its own, as of frozen layers in a network that trains
    model.encoder.norm.eval()
    with evaluating(model.encoder):
        assert not model.encoder.drop.training
    assert model.encoder.drop.training and not model.encoder.norm.training


def test_scoring_draws_no_random_numbers(tmp_path):
    runner, monitor = toy_runner(tmp_path), hook(before_train=False)
    monitor.before_train(runner)
    state = torch.get_rng_state()
    monitor.score(runner, 0)
    assert torch.equal(torch.get_rng_state(), state)


def test_scores_are_those_of_the_features(tmp_path):
    """Once by the hook, once by hand from the same encoder."""
    model = ToyModel()
    runner = toy_runner(tmp_path, model=model)
    found = hook(before_train=False)
    found.before_train(runner)
    scores = found.score(runner, 0)
    sides = [
        found.extract(model.encoder, Persons(cam), *STATISTICS)
        for cam in (0, 1)
    ]
    similarity = torch.nn.functional.cosine_similarity(
        sides[0].features[:, None], sides[1].features[None], dim=-1)
    # one right answer a query: its rank, wrong ones of equal similarity first
    ranks = (similarity >= similarity.diag()[:, None]).sum(1).double()
    assert scores['knn/rank1'] == (ranks == 1).double().mean()
    assert scores['knn/rank5'] == (ranks <= 5).double().mean()
    assert scores['knn/rank10'] == 1  # of 6
    assert scores['knn/map'] == pytest.approx((1 / ranks).mean())
    assert scores['knn/minp'] == pytest.approx((1 / ranks).mean())


def test_the_input_is_normalised_as_the_models_views_are(monkeypatch):
    encoder = ToyModel().encoder
    seen = []
    monkeypatch.setattr(encoder, 'extract',
                        lambda x: seen.append(x) or x.flatten(1)[:, :3])
    mean, std = (89.89, 79.20, 80.07), (67.83, 64.31, 63.88)
    hook().extract(encoder, Persons(0, persons=2), mean, std)
    pixels = torch.tensor([[0., 250, 0], [40, 210, 20]])
    torch.testing.assert_close(
        seen[0][:, :, 0, 0], (pixels - torch.tensor(mean)) / torch.tensor(std))
