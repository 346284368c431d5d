"""CrowdHuman: crowds, with full, visible and head boxes.

``Images/<ID>.jpg`` of both splits and ``annotation_{train,val}.odgt``, one
JSON object a line. ``id_hw_*.json`` is left to the data set's converter.
"""
import hashlib
import json
import os.path as osp
from typing import List

from ...weights import write_file
from ..labels.people_labels import PersonLabels, SceneLabels, mask_box
from ..scene.camera import encode_jpeg
from ..scene.street import StreetOptions, street_scene
from .base import Job, Writer

PICTURES = dict(tiny=(16, 6), small=(500, 120), large=(4000, 500))
SPLITS = dict(train='train', val='test')
SIDES = ((320, 480), (360, 480), (400, 320))  # height, width
STREET = StreetOptions(
    people=(10, 30), rows=(.5, 1.04), eye=(1.2, 3.2), crowd=.4, poster=.3)
SEEN = 12  # pixels; who shows less is not there for anybody
HOPELESS = .03  # share of the full box; who shows less is ignored
HEAD_SEEN = .8  # share of the head's box that is seen of a head nothing hides
WHOLE = .85  # the same of a person nothing hides


class CrowdHumanWriter(Writer):
    """See the module."""
    name = 'crowdhuman'
    stream = 5

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs = []
        for split, count in zip(SPLITS, PICTURES[size]):
            for _ in range(count):
                index = len(jobs)
                digest = hashlib.sha256(f'{seed}/{index}'.encode())
                name = f'{273_271 + 41 * index},{digest.hexdigest()[:16]}'
                jobs.append(
                    Job(f'Images/{name}.jpg', SPLITS[split], index,
                        dict(id=name)))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        size = SIDES[int(rng.integers(len(SIDES)))]
        scene = street_scene(rng, job.split, size, STREET, seed)
        rendered = scene.render()
        labels = SceneLabels(scene, rendered)
        boxes = []
        for person in labels.people(garments=False):
            if person.mask.sum() >= SEEN:
                boxes.append(_person_box(person, len(boxes)))
        boxes += [_mask_box(mask) for mask in labels.unlabelled().values()]
        line = json.dumps(dict(ID=job.options['id'], gtboxes=boxes))
        photograph = scene.photograph(rendered)
        return {job.path: encode_jpeg(photograph, scene.camera.quality)}, line

    def finish(self, root, jobs, records):
        written = []
        for split, owner in SPLITS.items():
            lines = [r for job, r in zip(jobs, records) if job.split == owner]
            written.append(f'annotation_{split}.odgt')
            text = '\n'.join(lines) + '\n'
            write_file(osp.join(root, written[-1]), text.encode())
        return written


def _whole(box) -> List[int]:
    return [int(v) for v in box]


def _person_box(person: PersonLabels, number: int) -> dict:
    """A person of ``gtboxes``."""
    full, head = person.full_box, person.full_head_box
    visible = person.visible_box
    shown = person.head_box
    head_seen = shown[2] * shown[3] / (head[2] * head[3]) if shown else 0.
    occluded = visible[2] * visible[3] < WHOLE * full[2] * full[3]
    extra = dict(box_id=number, occ=int(occluded))
    if person.mask.sum() < HOPELESS * full[2] * full[3]:
        extra['ignore'] = 1
    return dict(
        tag='person',
        hbox=_whole(head),
        head_attr=dict(
            ignore=int(shown is None),
            occ=int(head_seen < HEAD_SEEN),
            unsure=0),
        fbox=_whole(full),
        vbox=_whole(visible),
        extra=extra)


def _mask_box(mask) -> dict:
    """A region whose people do not count, neither found nor missed."""
    box = _whole(mask_box(mask))
    return dict(
        tag='mask',
        hbox=box,
        head_attr={},
        fbox=box,
        vbox=box,
        extra=dict(ignore=1))
