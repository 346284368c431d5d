"""LIP: crops of a person each, with a map of 20 classes.

``{train,val}_images/<id>.jpg``, ``{train,val}_segmentations/<id>.png`` and
the lists ``{train,val}_id.txt``. As in LIP, only the person the crop is about
is labelled; others are background.
"""
import os.path as osp
from typing import List

import cv2
import numpy as np

from ...weights import write_file
from ..labels.people_labels import SceneLabels
from ..scene.camera import encode_jpeg
from ..scene.scene import CropOptions, crop_scene
from .base import Job, Writer

CROPS = dict(tiny=(100, 25), small=(2500, 500), large=(20_000, 2000))
SPLITS = dict(train='train', val='test')
OPTIONS = CropOptions(
    heights=(140, 280), truncated=.3, others=.35, covered=.15)


class LipWriter(Writer):
    """See the module."""
    name = 'lip'
    stream = 4

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs = []
        for split, count in zip(SPLITS, CROPS[size]):
            for _ in range(count):
                index = len(jobs)
                # Number of a picture and of a person, as in LIP.
                name = f'{1000 + 3 * index}_{1_234_574 + 11 * index}'
                jobs.append(
                    Job(f'{split}_images/{name}.jpg', SPLITS[split], index,
                        dict(label=f'{split}_segmentations/{name}.png')))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        scene = crop_scene(rng, job.split, OPTIONS, seed=seed)
        rendered = scene.render()
        labels = SceneLabels(scene, rendered)
        parts = np.where(labels.owners() == 0, labels.parts(), np.uint8(0))
        photograph = scene.photograph(rendered)
        return {
            job.path: encode_jpeg(photograph, scene.camera.quality),
            job.options['label']: encode_png(parts)
        }, None

    def finish(self, root, jobs, records):
        lists = []
        for split, owner in SPLITS.items():
            names = [
                osp.splitext(osp.basename(job.path))[0] for job in jobs
                if job.split == owner
            ]
            lists.append(f'{split}_id.txt')
            text = '\n'.join(names) + '\n'
            write_file(osp.join(root, lists[-1]), text.encode())
        return lists


def encode_png(parts: np.ndarray) -> bytes:
    """8-bit PNG of one channel, value = class."""
    return cv2.imencode('.png', parts)[1].tobytes()
