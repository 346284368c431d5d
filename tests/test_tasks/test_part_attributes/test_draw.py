import numpy as np
import pytest
import torch

from saip_mm.datasets.fashion_taxonomy import ATTRIBUTES

pytest.importorskip('mmdet')

from mmdet.structures import DetDataSample  # noqa: E402
from mmengine.structures import InstanceData  # noqa: E402

from saip_mm.tasks.part_attributes import FashionLocalVisualizer  # noqa: E402
from saip_mm.tasks.part_attributes import FashionpediaDataset  # noqa: E402


def picture():
    flags = torch.zeros(2, 294, dtype=torch.bool)
    flags[0, [115, 136, 229, 270]] = True
    chances = torch.zeros(2, 294)
    chances[0, [115, 136, 229, 270]] = torch.tensor([.5, .9, .4, .7])
    masks = torch.zeros(2, 60, 80, dtype=torch.bool)
    masks[0, 10:50, 10:40] = masks[1, 20:30, 50:60] = True
    sample = DetDataSample()
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[10., 10, 40, 50], [50, 20, 60, 30]]),
        scores=torch.tensor([.9, .8]),
        labels=torch.tensor([10, 23]),
        masks=masks,
        attributes=flags,
        attribute_scores=chances)
    return sample


@pytest.fixture
def visualizer():
    drawn = FashionLocalVisualizer()
    drawn.dataset_meta = dict(
        FashionpediaDataset.METAINFO, attributes=[a.name for a in ATTRIBUTES])
    return drawn


def test_names_the_most_probable(visualizer, monkeypatch):
    texts = []
    monkeypatch.setattr(visualizer, 'draw_texts',
                        lambda text, *args, **kwargs: texts.append(text))
    sample = picture()
    visualizer.add_datasample('a', np.zeros((60, 80, 3), np.uint8), sample)
    assert texts == [
        'dress (regular (fit); plain (pattern); symmetrical): 90.0',
        'shoe: 80.0'
    ]
    assert 'label_names' not in sample.pred_instances


def test_draws(visualizer, tmp_path):
    blank = np.full((60, 80, 3), 255, np.uint8)
    path = tmp_path / 'drawn.png'
    visualizer.add_datasample(
        'a', blank, picture(), draw_gt=False, out_file=str(path))
    assert path.stat().st_size > 500
    assert visualizer.get_image().shape[:2] == (60, 80)
    assert (visualizer.get_image() != 255).any()


def test_without_names_as_the_parent(visualizer):
    visualizer.dataset_meta = dict(FashionpediaDataset.METAINFO)
    sample = picture()
    visualizer.add_datasample('a', np.zeros((60, 80, 3), np.uint8), sample)
