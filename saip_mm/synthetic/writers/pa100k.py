"""PA100K: crops of a person each, with 26 attributes.

``data/000001.jpg`` ... and ``annotation.mat`` with the names and labels of
'train', 'val' and 'test'.
"""
import os.path as osp
from typing import List

import numpy as np

from ...datasets.attribute_names import PA100K
from ...datasets.mat_file import write_mat
from ...weights import write_file
from ..labels.attributes import pa100k_attributes
from ..scene.scene import CropOptions, crop_scene
from .base import Job, Writer, photograph_jpeg

CROPS = dict(  # train, val, test
    tiny=(48, 16, 24),
    small=(2000, 400, 600),
    large=(16_000, 2000, 2000))
SPLITS = dict(train='train', val='other', test='test')
OPTIONS = CropOptions(heights=(96, 240), truncated=.1, others=.15, covered=.05)


class PA100KWriter(Writer):
    """See the module."""
    name = 'pa100k'
    stream = 12

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs = []
        for part, count in zip(SPLITS, CROPS[size]):
            for _ in range(count):
                index = len(jobs)
                jobs.append(
                    Job(f'data/{index + 1:06d}.jpg', SPLITS[part], index,
                        dict(part=part)))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        scene = crop_scene(rng, job.split, OPTIONS, seed=seed)
        person = scene.people[0]
        labels = pa100k_attributes(person.identity, person)
        return {job.path: photograph_jpeg(scene)}, labels.tolist()

    def finish(self, root, jobs, records):
        content = dict(attributes=list(PA100K))
        for part in SPLITS:
            rows = [
                i for i, job in enumerate(jobs) if job.options['part'] == part
            ]
            content[f'{part}_images_name'] = [
                osp.basename(jobs[i].path) for i in rows
            ]
            content[f'{part}_label'] = np.array([records[i] for i in rows],
                                                np.uint8)
        write_file(osp.join(root, 'annotation.mat'), write_mat(content))
        return ['annotation.mat']
