"""Pictures of results: on the picture as its labels are turned."""
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

pytest.importorskip('mmpose')

from mmengine.structures import InstanceData  # noqa: E402
from mmengine.visualization import Visualizer  # noqa: E402
from mmpose.structures import PoseDataSample  # noqa: E402
from mmpose.visualization import PoseLocalVisualizer  # noqa: E402

from saip_mm.tasks.pose import PersonVisualizationHook  # noqa: E402
from .test_labels import OWN, labels  # noqa: E402
from .test_load_image import TURNED, write_picture  # noqa: E402


@pytest.fixture(autouse=True)
def current_visualizer():
    """A runner has one; hooks ask for it when they are built."""
    Visualizer.get_instance('pose')


@pytest.mark.parametrize(
    'shape, red',
    [
        ((120, 80), (slice(2, 38), slice(62, 78))),  # as shown
        ((80, 120), (slice(2, 18), slice(2, 38))),  # as stored
    ])
def test_as_labelled_with_keypoints_of_ones_own(tmp_path, shape, red):
    path = tmp_path / 'pictures/3.jpg'
    write_picture(path, TURNED)
    hook = PersonVisualizationHook(enable=True, out_dir='drawn')
    hook._visualizer = PoseLocalVisualizer(radius=4)
    found = InstanceData(
        bboxes=np.array([[5., 50, 60, 75]]),
        bbox_scores=np.ones(1),
        keypoints=np.array([[[30., 60], [31, 60], [32, 60]]]),
        keypoint_scores=np.ones((1, 3)),
        keypoints_visible=np.ones((1, 3)))
    sample = PoseDataSample(metainfo=dict(img_path=str(path), ori_shape=shape))
    sample.pred_instances = sample.gt_instances = found
    runner = SimpleNamespace(
        work_dir=str(tmp_path),
        timestamp='now',
        test_evaluator=SimpleNamespace(dataset_meta=labels(OWN)))
    hook.after_test_iter(runner, 0, {}, [sample, sample])
    files = sorted((tmp_path / 'now/drawn').iterdir())
    assert [file.name for file in files] == ['3_0.jpg', '3_1.jpg']
    drawn = cv2.imread(str(files[0]))
    assert drawn.shape[:2] == shape
    assert (drawn[red][..., 2] > 150).all()
    # the last keypoint is blue on top, the ground was black
    assert drawn[58:62, 31:33, 0].min() > 150


def test_nothing_is_drawn_unless_asked_for(tmp_path):
    hook = PersonVisualizationHook(out_dir='drawn')
    hook.after_test_iter(
        SimpleNamespace(work_dir=str(tmp_path), timestamp='now'), 0, {}, [1])
    hook.after_val_iter(SimpleNamespace(iter=0), 0, {}, [1])
    assert not list(tmp_path.iterdir())
