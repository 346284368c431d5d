"""PETA: persons in one or more crops, with labels of the person.

``images/00001.png`` ..., ``PETA.mat`` as DeepMAR packed it, and
``peta_zs_split.json``, whose parts share no person, as those of PETA-zs.
Of the 105 labels the 35 that are evaluated are the scene's; the others, which
nobody trains, are 0.
"""
import json
import os.path as osp
from typing import List

import cv2
import numpy as np

from ...datasets.attribute_names import PETA, PETA_LABELS
from ...datasets.mat_file import write_mat
from ...weights import write_file
from ..labels.attributes import peta_attributes
from ..people.identity import own_number
from ..scene.camera import CAMERAS
from ..scene.scene import CropOptions, crop_scene
from .base import Job, Writer

PERSONS = dict(  # train, val, test
    tiny=(20, 8, 10),
    small=(700, 200, 250),
    large=(5000, 1500, 1500))
SPLITS = dict(train='train', val='other', test='test')
FIRST_PERSON = 20_000  # others have the numbers below
SOURCES = 10  # older sets, of which the real one is made
MOST = 3  # pictures of a person
RANDOM_SPLITS = 5
OPTIONS = CropOptions(heights=(80, 180), truncated=.05, others=.1, covered=.05)
SPLIT_FILE = 'peta_zs_split.json'


class PETAWriter(Writer):
    """See the module."""
    name = 'peta'
    stream = 13

    def plan(self, size: str, seed: int) -> List[Job]:
        rng = np.random.default_rng([self.stream, seed])
        jobs, pid = [], 0
        for part, count in zip(SPLITS, PERSONS[size]):
            for person in range(count):
                pid += 1
                for _ in range(int(rng.integers(1, MOST + 1))):
                    index = len(jobs)
                    jobs.append(
                        Job(f'images/{index + 1:05d}.png', SPLITS[part], index,
                            dict(part=part, person=person, pid=pid)))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        number = FIRST_PERSON + job.options['person']
        scene = crop_scene(
            rng,
            job.split,
            OPTIONS,
            identity=own_number(number, job.split),
            camera=job.options['pid'] % len(CAMERAS),
            seed=seed)
        image = scene.photograph(scene.render(with_ids=False))
        content = cv2.imencode('.png', image[..., ::-1])[1].tobytes()
        labels = peta_attributes(scene.people[0].identity)
        return {job.path: content}, labels.tolist()

    def finish(self, root, jobs, records):
        rows = np.arange(len(jobs))
        pids = np.array([job.options['pid'] for job in jobs])
        parts = np.array([job.options['part'] for job in jobs])
        split = {part: rows[parts == part] for part in SPLITS}
        content = dict(
            data=_data(pids, np.array(records)),
            attribute=[*PETA, *_unused()],
            selected_attribute=np.arange(5, 5 + len(PETA))[None],
            partion_attribute=[
                _random_split(len(jobs), number)
                for number in range(RANDOM_SPLITS)
            ])
        write_file(osp.join(root, 'PETA.mat'), write_mat(dict(peta=content)))
        text = dict(
            name='zero-shot split of rendered people',
            **{part: split[part].tolist()
               for part in SPLITS})
        write_file(
            osp.join(root, SPLIT_FILE), (json.dumps(text) + '\n').encode())
        return ['PETA.mat', SPLIT_FILE]


def _data(pids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Picture, person, older set, person there, and 105 labels."""
    count = len(pids)
    table = np.zeros((count, 4 + PETA_LABELS), np.uint16)
    table[:, 0] = np.arange(1, count + 1)
    table[:, 1] = pids
    table[:, 2] = (pids - 1) % SOURCES + 1
    table[:, 3] = (pids - 1) // SOURCES + 1
    table[:, 4:4 + len(PETA)] = labels
    return table


def _unused() -> List[str]:
    return [f'unused{place}' for place in range(len(PETA), PETA_LABELS)]


def _random_split(count: int, number: int) -> dict:
    """Half, a tenth and the rest of the pictures; counted from 1."""
    order = np.random.default_rng(number).permutation(count) + 1
    ends = [count // 2, count // 2 + count // 10]
    return {
        part: rows[:, None].astype(np.uint16)
        for part, rows in zip(SPLITS, np.split(order, ends))
    }
