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
    return SimpleNamespace(model=model, train_dataloader=loader)


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
