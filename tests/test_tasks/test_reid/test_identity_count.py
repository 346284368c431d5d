from types import SimpleNamespace

import pytest
from torch import nn

from saip_mm.tasks.reid import CameraEmbedding, IdentityCountHook


class Persons:
    metainfo = dict(num_ids=702)
    cams = (0, 3, 2)

    def __len__(self):
        return len(self.cams)

    def get_data_info(self, index):
        return dict(camid=self.cams[index])


def runner(num_classes, camera=None):
    model = nn.Module()
    model.head = nn.Module()
    model.head.num_classes = num_classes
    model.camera = camera
    loader = SimpleNamespace(dataset=Persons())
    return SimpleNamespace(model=model, train_dataloader=loader, val_loop=None)


class Search(list):
    """Of (person, camera, asks)."""

    def get_data_info(self, index):
        return dict(zip(('pid', 'camid', 'is_query'), self[index]))


def test_as_many_classes_as_persons():
    hook = IdentityCountHook()
    hook.before_train(runner(702))
    hook.before_train(runner(702, CameraEmbedding(4, 2)))
    with pytest.raises(
            ValueError,
            match='classifier has 751 classes, training set has 702 '
            'identities; set model.head.num_classes=702'):
        hook.before_train(runner(751))


@pytest.mark.parametrize('cams', [3, 6])
def test_as_many_cameras(cams):
    with pytest.raises(
            ValueError, match=f'SIE has {cams} cameras.*num_cams=4'):
        IdentityCountHook().before_train(runner(702, CameraEmbedding(cams, 2)))


ONE_CAMERA = Search([(1, 0, True), (2, 0, True), (1, 0, False), (3, 1, False)])


def test_a_search_without_an_answer_stops_before_training():
    run = runner(702)
    run.val_loop = run.test_loop = object()
    run.val_dataloader = run.test_dataloader = SimpleNamespace(
        dataset=ONE_CAMERA)
    hook = IdentityCountHook()
    for door in (hook.before_train, hook.before_test):
        with pytest.raises(
                ValueError,
                match='none of the 2 queries has a match in the gallery from '
                r'another camera \(2 pictures, 2 cameras found\)'):
            door(run)
    run.val_dataloader.dataset = Search([*ONE_CAMERA, (2, 1, False)])
    hook.before_train(run)


def test_cameras_to_be_searched_have_vectors():
    run = runner(702, CameraEmbedding(4, 2))
    run.val_loop = object()
    run.val_dataloader = SimpleNamespace(
        dataset=Search([(1, 0, True), (1, 6, False)]))
    with pytest.raises(ValueError, match='SIE: camera 7 .* not seen'):
        IdentityCountHook().before_train(run)
