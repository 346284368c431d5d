"""Rendered crops the tests share."""
from functools import lru_cache

import numpy as np

from saip_mm.synthetic.labels.people_labels import SceneLabels
from saip_mm.synthetic.scene.scene import CropOptions, crop_scene

ALONE = CropOptions(heights=(240, 240), truncated=0., others=0., covered=0.)
CROWDED = CropOptions(heights=(200, 200), truncated=.3, others=.7, covered=.4)


@lru_cache(maxsize=None)
def labelled(number, options=ALONE, yaw=None):
    """A scene and its labels."""
    rng = np.random.default_rng([7, number])
    scene = crop_scene(rng, 'train', options, yaw=yaw)
    return scene, SceneLabels(scene, scene.render())
