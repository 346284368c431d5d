"""LUPerson: unlabelled crops out of street videos, for pretraining.

``{country}/{city}/{video}/{frame:08d}_{object:04d}.jpg``. A video has one
camera and one place; an object is a person followed over some frames.
"""
from typing import List

import numpy as np

from ...datasets.keypoint_file import list_path, write_keypoints
from ...datasets.prepare.image_selection import write_image_list
from ..labels.landmarks import coco_spots
from ..people.figure import Figure
from ..people.identity import own_number
from ..scene.camera import CAMERAS
from ..scene.scene import CropOptions, crop_scene
from .base import Job, Writer, photograph_jpeg

CROPS = dict(tiny=600, small=10_000, large=100_000)
TRACKS, FRAMES = 20, 6  # persons a video, pictures a person
CITIES = ('aland/norvik', 'aland/sunby', 'borea/kestrel', 'borea/tamber',
          'corvia/lindau', 'corvia/mirano', 'dalia/oster', 'dalia/porto')
FIRST_PERSON = 10_000  # below are the identities of labelled sets
OPTIONS = CropOptions(heights=(112, 256))
LIST = 'luperson.txt'
KEYPOINTS = 'keypoints.npy'


class LUPersonWriter(Writer):
    """See the module; the list file names all crops, one key a line, and
    beside it are the exact keypoints of the person each is about."""
    name = 'luperson'
    stream = 1

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs, number = [], CROPS[size]
        while len(jobs) < number:
            jobs += self._video(len(jobs), seed)
        return jobs[:number]

    def _video(self, first, seed):
        """Pictures of one video; ``first`` is the first one's index."""
        video = first // (TRACKS * FRAMES)
        city = CITIES[video % len(CITIES)]
        folder = f'{city}/video_{video // len(CITIES):04d}'
        rng = np.random.default_rng([self.stream, seed, video])
        begin = int(rng.integers(1, 5000))
        jobs = []
        for person in range(TRACKS):
            for frame in range(FRAMES):
                index = first + len(jobs)
                time = begin + 137 * person + 12 * frame
                path = f'{folder}/{time:08d}_{person:04d}.jpg'
                options = dict(video=video, track=video * TRACKS + person)
                jobs.append(Job(path, 'train', index, options))
        return jobs

    def render(self, job, seed):
        video, track = job.options['video'], job.options['track']
        course = np.random.default_rng([self.stream, seed, video, track])
        heading = course.uniform(-np.pi, np.pi)
        rng = job.generator(self.stream, seed)
        scene = crop_scene(
            rng,
            job.split,
            OPTIONS,
            identity=own_number(FIRST_PERSON + track, job.split),
            camera=(video * 5 + seed) % len(CAMERAS),
            place=own_number(FIRST_PERSON + video, job.split),
            yaw=heading + rng.normal(0, .35),
            seed=seed)
        points = visible_joints(scene.people[0], scene.height, scene.width)
        return {job.path: photograph_jpeg(scene)}, points.tolist()

    def finish(self, root, jobs, records):
        keys = sorted(job.path for job in jobs)
        write_image_list(f'{root}/{LIST}', keys, source='rendered people')
        points = {job.path: row for job, row in zip(jobs, records)}
        write_keypoints(f'{root}/{KEYPOINTS}', keys,
                        (np.array(points[key]) for key in keys))
        return [LIST, LIST + '.json', KEYPOINTS, list_path(KEYPOINTS)]


def visible_joints(figure: Figure, height: int, width: int) -> np.ndarray:
    """COCO's 17 joints of a person, exact, where they are in the picture.

    Args:
        figure (Figure): The person.
        height (int): Of the picture, in pixels.
        width (int): Likewise.

    Returns:
        np.ndarray: ``(17, 3)``: x and y in pixels, and 1; zeros for joints
        outside and for a face's that are turned away. Hidden ones count.
    """
    points = np.zeros((17, 3))
    for row, spot in zip(points, coco_spots(figure)):
        at = spot.at.real, spot.at.imag
        if not spot.turned_away and all(
                -.5 <= v < side - .5 for v, side in zip(at, (width, height))):
            row[:] = *at, 1.
    return points
