"""Market1501: identities seen by six cameras, for retrieval.

``<pid>_c<cam>s<seq>_<frame:6>_<box:2>.jpg`` in three folders. The gallery
also holds distractors (0000) and junk detections (-1).
"""
from typing import List

import numpy as np

from ..people.identity import own_number
from ..scene.camera import CAMERAS
from ..scene.scene import CropOptions, Scene, crop_scene
from ..scene.things import make_thing
from .base import Job, Writer, photograph_jpeg

# Identities a split, distractors, junk. Large: as many ids as the real set.
SIZES = dict(tiny=(12, 8, 4), small=(120, 200, 60), large=(750, 2500, 900))
FOLDERS = dict(
    train='bounding_box_train', query='query', gallery='bounding_box_test')
SEQUENCES = 2  # places; the real set's cameras all look at one square
OPTIONS = CropOptions(heights=(128, 128), aspect=.5)
BADLY_CUT = CropOptions(heights=(128, 128), aspect=.5, truncated=1.)


class Market1501Writer(Writer):
    """See the module. Odd identities train, even ones test."""
    name = 'market1501'
    stream = 2

    def plan(self, size: str, seed: int) -> List[Job]:
        count, distractors, junk = SIZES[size]
        rng = np.random.default_rng([self.stream, seed])
        jobs = []
        for person in range(count):
            self._sightings(jobs, rng, 'train', person, 2 * person + 1)
        for person in range(count):
            self._sightings(jobs, rng, 'test', person, 2 * person + 2)
        for number in range(distractors + junk):
            pid = '0000' if number < distractors else '-1'
            cam = int(rng.integers(len(CAMERAS)))
            self._add(jobs, 'other', 'gallery', pid, cam,
                      dict(empty=bool(number % 2)))
        return jobs

    def _sightings(self, jobs, rng, split, person, pid):
        """What the cameras saw of one person: two of them at least."""
        cameras = rng.permutation(len(CAMERAS))[:rng.integers(3, 7)]
        for cam in sorted(int(c) for c in cameras):
            heading = float(rng.uniform(-np.pi, np.pi))
            options = dict(person=person, heading=heading)
            count = int(rng.integers(2, 5))
            folders = ['train'] * count
            if split == 'test':
                folders = ['query'] + ['gallery'] * (count - 1)
            for folder in folders:
                self._add(jobs, split, folder, f'{pid:04d}', cam, options)

    def _add(self, jobs, split, folder, pid, cam, options):
        index = len(jobs)
        sequence = index % SEQUENCES
        box = 0 if folder == 'query' else 1 + index % 5
        # The index in the frame's number keeps names apart.
        name = (f'{pid}_c{cam + 1}s{sequence + 1}_{151 + 25 * index:06d}_'
                f'{box:02d}.jpg')
        options = dict(options, cam=cam, sequence=sequence)
        jobs.append(Job(f'{FOLDERS[folder]}/{name}', split, index, options))

    def render(self, job, seed):
        return {job.path: photograph_jpeg(self.scene(job, seed))}, None

    def scene(self, job: Job, seed: int) -> Scene:
        """What a job's picture is of."""
        rng = job.generator(self.stream, seed)
        what = job.options
        place = own_number(what['sequence'], job.split)
        known = 'person' in what
        scene = crop_scene(
            rng,
            job.split,
            OPTIONS if known else BADLY_CUT,
            identity=own_number(what['person'], job.split) if known else None,
            camera=what['cam'],
            place=place,
            yaw=what['heading'] + rng.normal(0, .25) if known else None,
            seed=seed)
        if what.get('empty'):  # the detector was wrong: nobody there
            scene.people.clear()
            foot = complex(.5 * scene.width, scene.height)
            scene.things.append((foot.imag, make_thing(rng, foot, 60.)))
        return scene
