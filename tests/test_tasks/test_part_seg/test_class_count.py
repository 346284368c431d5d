from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.runner import Runner
from torch import nn

pytest.importorskip('mmseg')

from saip_mm.engine.launch_options import use_tta  # noqa: E402
from saip_mm.tasks.part_seg import ClassCountHook, PartFlipTTA  # noqa: E402
from .lip_files import write_lip  # noqa: E402
from .test_configs import shrink  # noqa: E402
from .test_flip_tta import Silent  # noqa: E402

CONFIG = Path(__file__).parents[3] / 'configs/part_seg/lip/vit_tiny.py'


class Segmentor(Silent):

    def __init__(self, **num_classes):
        super().__init__()
        self.backbone = nn.Identity()  # has no classes
        for name, number in num_classes.items():
            head = nn.Identity()
            head.num_classes = number
            self.add_module(name, head)


@pytest.mark.parametrize(
    'wrap', [nn.Module.eval, PartFlipTTA], ids=['plain', 'tta'])
def test_every_head_before_a_test(wrap):

    def check(**num_classes):
        dataset = SimpleNamespace(metainfo=dict(classes=['part'] * 20))
        ClassCountHook().before_test(
            SimpleNamespace(
                model=wrap(Segmentor(**num_classes)),
                test_dataloader=SimpleNamespace(dataset=dataset)))

    check()
    check(decode_head=20, auxiliary_head=20)
    for number in (19, 21):
        error = (f'auxiliary_head.num_classes is {number}, but .* has 20 '
                 'classes: set model.auxiliary_head.num_classes=20')
        with pytest.raises(ValueError, match=error):
            check(decode_head=20, auxiliary_head=number)


@pytest.mark.parametrize('tta', [False, True])
def test_a_test_of_19_classes_does_not_start(tta, tmp_path):
    cfg = shrink(CONFIG, write_lip(tmp_path / 'lip'), tmp_path / 'work')
    cfg.model.decode_head.num_classes = 19
    if tta:
        use_tta(cfg)
    error = 'decode_head.num_classes is 19, but LIPPartsDataset has 20 classes'
    with pytest.raises(ValueError, match=error):
        Runner.from_cfg(cfg).test()
