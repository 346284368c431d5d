"""What the formats of persons with sentences have in common."""
import json
import os.path as osp
from abc import abstractmethod
from typing import Dict, List, NamedTuple, Tuple

import numpy as np

from ...weights import write_file
from ..labels.captions import describe
from ..labels.people_labels import SceneLabels
from ..people.identity import own_number
from ..scene.camera import CAMERAS, encode_jpeg
from ..scene.scene import CropOptions, crop_scene
from .base import Job, Writer
from .lip import encode_png

SPLITS = dict(train='train', val='other', test='test')  # whose persons
OPTIONS = CropOptions(heights=(128, 208))


class Sighting(NamedTuple):
    """A picture of a person, in a split of the set.

    ``person`` counts in the split, ``picture`` of the person, both from 0;
    ``camera`` is an index into ``CAMERAS``.
    """
    split: str
    person: int
    picture: int
    camera: int


class CaptionedWriter(Writer):
    """Persons of each split, some pictures of each, sentences of those.

    Attributes:
        persons (dict[str, tuple[int, ...]]): Of train, val and test, by size.
        pictures (tuple[int, int]): Of a person, least and most.
        sentences (int): Of a picture.
        file (str): Of the records.
    """
    persons: Dict[str, Tuple[int, int, int]]
    pictures: Tuple[int, int]
    sentences: int
    file: str

    @abstractmethod
    def path(self, sighting: Sighting, number: int) -> str:
        """Path of a picture in ``imgs``; ``number`` counts all of them."""

    @abstractmethod
    def record(self, job: Job, captions: List[str]) -> dict:
        """What the file says of a picture."""

    def plan(self, size: str, seed: int) -> List[Job]:
        """Persons in the order of the splits, each seen by some cameras."""
        rng = np.random.default_rng([self.stream, seed])
        jobs, low, high = [], *self.pictures
        for split, count in zip(SPLITS, self.persons[size]):
            for person in range(count):
                cameras = rng.permutation(len(CAMERAS))
                for picture in range(int(rng.integers(low, high + 1))):
                    one = Sighting(split, person, picture,
                                   int(cameras[picture % len(cameras)]))
                    path = f'imgs/{self.path(one, len(jobs))}'
                    jobs.append(
                        Job(path, SPLITS[split], len(jobs), one._asdict()))
        return jobs

    def render(self, job, seed):
        """A picture, and what is seen of its person in words."""
        what = job.options
        rng = job.generator(self.stream, seed)
        scene = crop_scene(
            rng,
            job.split,
            OPTIONS,
            identity=own_number(what['person'], job.split),
            camera=what['camera'],
            seed=seed)
        rendered = scene.render()
        figure = scene.people[0]
        seen = SceneLabels(scene, rendered).garments_seen()
        captions = [
            describe(figure.identity, rng, figure.pose.kind, seen)
            for _ in range(self.sentences)
        ]
        photograph = scene.photograph(rendered)
        if job.path.endswith('.png'):
            content = encode_png(photograph[..., ::-1])
        else:
            content = encode_jpeg(photograph, scene.camera.quality)
        return {job.path: content}, captions

    def finish(self, root, jobs, records):
        """The file of records, in the order of the pictures."""
        entries = [
            self.record(job, captions) for job, captions in zip(jobs, records)
        ]
        text = json.dumps(entries, indent=1) + '\n'
        write_file(osp.join(root, self.file), text.encode())
        return [self.file]


def below_images(job: Job) -> str:
    """A picture's path in ``imgs``."""
    return job.path[len('imgs/'):]
