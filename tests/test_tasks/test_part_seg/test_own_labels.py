"""The example of own labels: trained, validated, tested, flipped; tiny."""
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from PIL import Image

pytest.importorskip('mmseg')

from mmseg.structures import SegDataSample  # noqa: E402

from saip_mm.apis import evaluate  # noqa: E402
from saip_mm.tasks import part_seg  # noqa: E402
from .parts_files import PLAIN, SIDED, SIDED_PAIRS, write_parts  # noqa: E402
from .test_configs import check_run, shrink  # noqa: E402
from .test_flip_tta import Silent, version  # noqa: E402

CONFIG = Path(__file__).parents[3] / 'configs/part_seg/own/example.py'


def tiny(root, work_dir, classes):
    """The example over written files."""
    cfg = shrink(CONFIG, write_parts(root)['data_root'], work_dir)
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        dataset.ann_file = 'ids.txt'
        dataset.metainfo = dict(classes=classes)
    cfg.default_hooks.visualization.update(draw=True, interval=1)
    return cfg


def test_the_example_says_what_it_has():
    cfg = Config.fromfile(CONFIG)
    assert len(cfg.classes) == 12
    for head in ('decode_head', 'auxiliary_head'):
        assert cfg.model[head].num_classes == 12
    for name in ('train', 'val', 'test'):
        dataset = cfg[f'{name}_dataloader'].dataset
        assert dataset.type == 'PartsDataset'
        assert dataset.metainfo.classes == SIDED


@pytest.mark.slow
@pytest.mark.parametrize('classes', [PLAIN, SIDED], ids=['plain', 'sided'])
def test_trains_and_tests(tmp_path, classes):
    cfg = tiny(tmp_path / 'parts', tmp_path / 'work', classes)
    runner = Runner.from_cfg(cfg)
    runner.train()
    check_run(runner, steps=2)
    checkpoint = torch.load(tmp_path / 'work/iter_2.pth', weights_only=True)
    assert tuple(checkpoint['meta']['dataset_meta']['classes']) == classes
    small = str(tmp_path / 'small.py')
    cfg.test_evaluator.output_dir = str(tmp_path / 'out')
    cfg.dump(small)
    for tta in (False, True):
        metrics = evaluate(
            small,
            str(tmp_path / 'work/iter_2.pth'),
            work_dir=str(tmp_path / 'test'),
            tta=tta)
        assert set(metrics) == {'mIoU', 'mAcc', 'aAcc'}
        for path in sorted((tmp_path / 'out').iterdir()):
            assert np.array(Image.open(path)).max() < 12
            path.unlink()
    assert len(list((tmp_path / 'test').rglob('vis_image/*.png'))) == 6


@pytest.mark.parametrize('names, first', [
    (PLAIN[::-1], "12, number 0 is 'background' and 'bag'"),
    (PLAIN[:5], "5, number 5 is 'outer' and None"),
])
def test_validation_with_other_names_is_refused(names, first):
    train, val = (
        SimpleNamespace(
            dataset=SimpleNamespace(metainfo=dict(classes=classes)))
        for classes in (PLAIN, names))
    runner = SimpleNamespace(
        model=Silent(),
        train_dataloader=train,
        val_loop=True,
        val_dataloader=val)
    error = f'train_dataloader has 12 classes and val_dataloader {first}'
    with pytest.raises(ValueError, match=error):
        part_seg.ClassCountHook().before_train(runner)
    runner.val_dataloader = train
    part_seg.ClassCountHook().before_train(runner)


def test_training_checks_the_validation(tmp_path):
    cfg = tiny(tmp_path / 'parts', tmp_path / 'work', PLAIN)
    cfg.val_dataloader.dataset.metainfo = dict(classes=SIDED)
    error = "val_dataloader 12, number 2 is 'skin' and 'face'"
    with pytest.raises(ValueError, match=error):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize(
    'trained, refused, warned',
    [
        (PLAIN, False, False),
        (PLAIN[::-1], True, False),
        (SIDED, False, True),  # other names for the same numbers
        (PLAIN[:5], False, False),  # the head's size tells
        ((), False, False),
    ])
def test_names_of_the_checkpoint(monkeypatch, trained, refused, warned):
    lines = []
    monkeypatch.setattr('saip_mm.tasks.part_seg.class_count.print_log',
                        lambda message, *args: lines.append(message))
    meta = dict(dataset_meta=dict(classes=trained)) if trained else {}
    dataset = SimpleNamespace(metainfo=dict(classes=PLAIN))
    loader = SimpleNamespace(dataset=dataset)
    runner = SimpleNamespace(
        model=Silent(),
        train_dataloader=loader,
        val_loop=None,
        test_dataloader=loader)
    hook = part_seg.ClassCountHook()
    hook.after_load_checkpoint(runner, dict(meta=meta))
    if refused:
        error = "another order .*: 'bag' of the checkpoint is 'background'"
        with pytest.raises(ValueError, match=error):
            hook.before_test(runner)
    else:
        hook.before_test(runner)
    assert len(lines) == warned
    hook.before_train(runner)  # loaded to start from
    hook.before_test(runner)
    assert len(lines) == warned


class TestPairsOfTheFlipTest:

    def check(self, model, pairs=SIDED_PAIRS):
        dataset = SimpleNamespace(
            metainfo=dict(classes=SIDED, flip_pairs=pairs))
        part_seg.ClassCountHook().before_test(
            SimpleNamespace(
                model=model, test_dataloader=SimpleNamespace(dataset=dataset)))

    def merge(self, model, logits):
        merged, = model.merge_preds([(version(logits, True), )])
        return merged.seg_logits.data

    @pytest.mark.parametrize('pairs', [[], SIDED_PAIRS])
    def test_come_from_the_data_set(self, pairs):
        model, logits = part_seg.PartFlipTTA(Silent()), torch.randn(12, 3, 5)
        self.check(model, pairs)
        wanted = logits.softmax(0).clone()
        for a, b in pairs:
            wanted[[a, b]] = logits.softmax(0)[[b, a]]
        torch.testing.assert_close(self.merge(model, logits), wanted)

    def test_said_twice_must_agree(self):
        self.check(
            part_seg.PartFlipTTA(
                Silent(), flip_pairs=[(5, 4), (7, 6), (9, 10)]))
        with pytest.raises(ValueError) as error:
            self.check(part_seg.PartFlipTTA(Silent(), flip_pairs=[(4, 5)]))
        for words in ('tta_model.flip_pairs is [(4, 5)]',
                      '(6, 7) left_hand/right_hand', 'leave tta_model'):
            assert words in str(error.value)

    def test_nobody_said(self):
        with pytest.raises(ValueError, match='of 12 classes a mirror exchang'):
            self.merge(part_seg.PartFlipTTA(Silent()), torch.randn(12, 3, 5))


def test_a_picture_is_drawn_as_it_was_loaded(tmp_path, monkeypatch):
    """Stored lying (16x24), labelled as stored; EXIF would turn it."""
    stored = np.zeros((16, 24, 3), dtype=np.uint8)
    stored[:, :12, 0] = 255  # red on the left
    exif = Image.Exif()
    exif[0x0112] = 6
    path = str(tmp_path / 'a.png')
    Image.fromarray(stored).save(path, exif=exif)
    drawn = []
    hook = part_seg.PartDrawHook(draw=True, interval=2)
    hook._visualizer = SimpleNamespace(add_datasample=lambda name, image, **
                                       kwargs: drawn.append((name, image)))
    sample = SegDataSample(
        metainfo=dict(img_path=path, ori_shape=stored.shape[:2]))
    hook.after_test_iter(None, 0, {}, [sample])
    for batch in range(3):
        hook.after_val_iter(SimpleNamespace(iter=10), batch, {}, [sample])
    assert [name for name, _ in drawn] == ['test_a.png'] + ['val_a.png'] * 2
    for _, image in drawn:
        assert (image == stored).all()
