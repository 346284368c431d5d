import pytest
import torch

pytest.importorskip('mmpose')

from mmengine.structures import InstanceData  # noqa: E402
from mmpose.codecs import MSRAHeatmap, SimCCLabel, UDPHeatmap  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402

from saip_mm.apis.edge.networks import parts_of  # noqa: E402
from saip_mm.apis.edge.parts import example  # noqa: E402
from .tiny import SIZES, tiny_model  # noqa: E402

SIZE = SIZES['pose']
CODEC = dict(input_size=SIZE[::-1], heatmap_size=(12, 16), sigma=2)


def test_heat_maps_are_the_model_s(tmp_path):
    model = tiny_model('pose', tmp_path)
    images = example(SIZE)
    wanted = model(images, None, mode='tensor')
    part, = parts_of(model, SIZE)
    with torch.no_grad():
        found = part.network(images)
    assert found.shape[1:] == (17, 16, 12)
    torch.testing.assert_close(found, wanted)
    assert part.meanings['heatmaps'] == 'one a key point, of stride 4'


@pytest.mark.parametrize('codec, place, told', [
    (UDPHeatmap(**CODEC), lambda x, y: (x / 11, y / 15), ' x / (12 - 1), y '),
    (MSRAHeatmap(**CODEC), lambda x, y: (x / 12, y / 16), 'x * 48 / 12, y * '),
])
def test_where_a_cell_lies_in_the_picture(codec, place, told, tmp_path):
    """As mmpose's own prediction finds it, up to its refinement."""
    model = tiny_model('pose', tmp_path)
    model.head.decoder = codec
    part, = parts_of(model, SIZE)
    assert told in part.caller
    assert part.notes['codec']['type'] == type(codec).__name__
    assert part.notes['codec']['heatmap_size'] == [12, 16]
    maps = torch.zeros(1, 17, 16, 12)
    cells = torch.stack([torch.arange(17) % 9 + 1, torch.arange(17) % 13 + 1])
    for point, (x, y) in enumerate(cells.T.tolist()):
        maps[0, point, y - 1:y + 2, x - 1:x + 2] = 0.5
        maps[0, point, y, x] = 1.
    crop, corner = torch.tensor([96., 128.]), torch.tensor([10., 20.])
    sample = PoseDataSample(
        metainfo=dict(
            input_size=SIZE[::-1],
            input_center=(corner + crop / 2).numpy(),
            input_scale=crop.numpy()))
    sample.gt_instances = InstanceData(
        bboxes=torch.zeros(1, 4).numpy(), bbox_scores=torch.ones(1).numpy())
    found = model.add_pred_to_datasample([model.head.decode(maps)[0]], None,
                                         [sample])[0].pred_instances
    wanted = corner + torch.stack(place(*cells.float()), 1) * crop
    step = crop / 16
    apart = abs(torch.from_numpy(found.keypoints[0]).float() - wanted) / step
    assert apart.max() < 0.3, 'a quarter of a cell, to the side'


def test_other_heads_are_refused(tmp_path):
    model = tiny_model('pose', tmp_path)
    model.head.decoder = UDPHeatmap(**CODEC, heatmap_type='combined')
    with pytest.raises(ValueError, match="'combined' is three maps"):
        parts_of(model, SIZE)
    model.head.decoder = SimCCLabel(SIZE[::-1])
    with pytest.raises(ValueError, match='HeatmapHead with SimCCLabel'):
        parts_of(model, SIZE)
    model.head = torch.nn.Identity()
    model.head.decoder = UDPHeatmap(**CODEC)
    with pytest.raises(ValueError, match='Identity with UDPHeatmap'):
        parts_of(model, SIZE)


def test_sizes_whose_maps_reach_beyond_the_picture(tmp_path):
    """Where a stride does not divide a side, a map has a cell more."""
    model = tiny_model('pose', tmp_path)
    with pytest.raises(ValueError, match='size 72x48 gives heat maps of 2'):
        parts_of(model, (72, 48))
