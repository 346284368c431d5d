"""CIHP: several persons a picture, with the parts of each.

``{Training,Validation}/Images/<id>.jpg`` with the maps ``Category_ids/``,
``Human_ids/`` and ``Instance_ids/`` (the last with a list of instances each)
and the lists of ids. The coloured copies of the maps, which nobody reads, and
``Testing/`` are not written. Whoever shows too little is not labelled.
"""
import os.path as osp
from typing import List

import numpy as np

from ...weights import write_file
from ..labels.people_labels import SceneLabels
from ..scene.camera import encode_jpeg
from ..scene.street import StreetOptions, street_scene
from .base import Job, Writer
from .lip import encode_png

PICTURES = dict(tiny=(24, 8), small=(800, 150), large=(8000, 1000))
FOLDERS = dict(Training='train', Validation='val')
SPLITS = dict(train='train', val='test')
SIDES = ((300, 400), (400, 300), (320, 400), (267, 400))  # height, width
STREET = StreetOptions(
    people=(2, 6), rows=(.62, 1.05), near=.3, spread=4, crowd=.1, poster=.1)
SEEN = 60  # pixels; who shows less has no part that could be drawn
NUM_PARTS = 20


class CihpWriter(Writer):
    """See the module."""
    name = 'cihp'
    stream = 6

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs = []
        for (folder, split), count in zip(FOLDERS.items(), PICTURES[size]):
            for _ in range(count):
                number = f'{6 + 7 * len(jobs):07d}'
                jobs.append(
                    Job(f'{folder}/Images/{number}.jpg', SPLITS[split],
                        len(jobs), dict(folder=folder, id=number)))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        size = SIDES[int(rng.integers(len(SIDES)))]
        scene = street_scene(rng, job.split, size, STREET, seed)
        rendered = scene.render()
        labels = SceneLabels(scene, rendered)
        humans = number_humans(labels.owners(), len(scene.people))
        parts = np.where(humans > 0, labels.parts(cihp=True), np.uint8(0))
        instances = np.where(humans > 0,
                             NUM_PARTS * (humans.astype(int) - 1) + parts, 0)
        photograph = encode_jpeg(
            scene.photograph(rendered), scene.camera.quality)
        maps = dict(
            Category_ids=parts,
            Human_ids=humans,
            Instance_ids=instances.astype(np.uint8))
        root, name = job.options['folder'], job.options['id']
        files = {
            f'{root}/{kind}/{name}.png': encode_png(values)
            for kind, values in maps.items()
        }
        files[f'{root}/Instance_ids/{name}.txt'] = _list(instances).encode()
        return dict(files, **{job.path: photograph}), None

    def finish(self, root, jobs, records):
        lists = []
        for folder, split in FOLDERS.items():
            names = [
                job.options['id'] for job in jobs
                if job.options['folder'] == folder
            ]
            lists.append(f'{folder}/{split}_id.txt')
            text = '\n'.join(names) + '\n'
            write_file(osp.join(root, lists[-1]), text.encode())
        return lists


def number_humans(owners: np.ndarray, people: int) -> np.ndarray:
    """Number those who are seen from 1 on, without gaps.

    Args:
        owners (np.ndarray): ``(H, W)`` int, -1 nobody.
        people (int): How many are in the scene.

    Returns:
        np.ndarray: ``(H, W)`` uint8, 0 nobody.
    """
    shown = np.bincount(owners.ravel() + 1, minlength=people + 1)[1:] >= SEEN
    table = np.zeros(people + 1, np.uint8)
    table[1:][shown] = np.arange(1, shown.sum() + 1)
    return table[owners + 1]


def _list(instances: np.ndarray) -> str:
    """Lines of instance, category and human."""
    return ''.join(
        f'{v} {(v - 1) % NUM_PARTS + 1} {(v - 1) // NUM_PARTS + 1}\n'
        for v in np.unique(instances) if v)
