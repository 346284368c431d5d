"""MSMT17: identities seen by several cameras, named in four lists.

``train/<pid:4>/<pid>_<number>_<cam:2>_<time>_<...>.jpg`` and ``test/``, in
version 2 ``mask_train_v2/`` and ``mask_test_v2/``, the same pictures with
blurred heads. Six cameras, where the real set has fifteen.
"""
import os.path as osp
from typing import List

import cv2
import numpy as np

from ...datasets.retrieval.msmt17 import FOLDERS
from ...weights import write_file
from ..labels.people_labels import SceneLabels
from ..scene.camera import CAMERAS, encode_jpeg
from .base import Job
from .market1501 import SEQUENCES, Market1501Writer

PEOPLE = dict(tiny=12, small=120, large=1000)  # of each split
HOURS = ('morning', 'noon', 'afternoon')
SPLITS = ('train', 'val', 'query', 'gallery')
BLUR = 0.03  # sigma, of the picture's height: no face is left


class Msmt17Writer(Market1501Writer):
    """See the module.

    Args:
        version (str): 'V1' or 'V2'; formats 'msmt17' and 'msmt17_v2'.
    """
    stream = 20  # of both: the pictures are the same

    def __init__(self, version: str) -> None:
        self.version = version
        self.name = 'msmt17' if version == 'V1' else 'msmt17_v2'

    def plan(self, size: str, seed: int) -> List[Job]:
        rng = np.random.default_rng([self.stream, seed])
        jobs = []
        for split in ('train', 'test'):
            for person in range(PEOPLE[size]):
                self._person(jobs, rng, split, person)
        return jobs

    def _person(self, jobs, rng, split, person):
        """Three to six cameras, two to four pictures by each."""
        cameras = rng.permutation(len(CAMERAS))[:rng.integers(3, 7)]
        taken = 0
        for cam in sorted(int(c) for c in cameras):
            options = dict(
                person=person,
                cam=cam,
                sequence=len(jobs) % SEQUENCES,
                heading=float(rng.uniform(-np.pi, np.pi)))
            hour = HOURS[int(rng.integers(len(HOURS)))]
            for shot in range(int(rng.integers(2, 5))):
                listed = 'gallery' if split == 'test' else 'train'
                if not (shot if split == 'test' else taken):
                    listed = 'query' if split == 'test' else 'val'
                index = len(jobs)
                tail = '_ex' if index % 7 == 3 else ''
                name = (f'{person:04d}/{person:04d}_{taken:03d}_{cam + 1:02d}_'
                        f'0303{hour}_{index:04d}_{shot}{tail}.jpg')
                folder = FOLDERS[self.version][split == 'test']
                jobs.append(
                    Job(f'{folder}/{name}', split, index,
                        dict(options, listed=listed, name=name)))
                taken += 1

    def render(self, job, seed):
        if self.version == 'V1':
            return super().render(job, seed)
        scene = self.scene(job, seed)
        rendered = scene.render()
        image = scene.photograph(rendered)
        heads = SceneLabels(scene, rendered).heads()
        blurred = cv2.GaussianBlur(image, (0, 0), BLUR * len(image))
        image[heads] = blurred[heads]
        return {job.path: encode_jpeg(image, scene.camera.quality)}, None

    def finish(self, root, jobs, records):
        names = []
        for listed in SPLITS:
            lines = [
                f'{job.options["name"]} {job.options["person"]}\n'
                for job in jobs if job.options['listed'] == listed
            ]
            names.append(f'list_{listed}.txt')
            write_file(osp.join(root, names[-1]), ''.join(lines).encode())
        return names
