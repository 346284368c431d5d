"""COCO: several people a picture, with joints, whole bodies and detections.

``{train,val}2017/<id:012>.jpg``, ``annotations/person_keypoints_*2017.json``
and ``coco_wholebody_*_v1.0.json``, ``person_detection_results/…``.
"""
import json
import os.path as osp
from typing import List

import numpy as np

from ...weights import write_file
from ..labels.coco_format import (crowd_annotation, person_annotation,
                                  wholebody_parts, write_coco)
from ..labels.detector import detect
from ..labels.people_labels import SceneLabels, mask_box
from ..scene.camera import encode_jpeg
from ..scene.street import StreetOptions, street_scene
from .base import Job, Writer

PICTURES = dict(tiny=(48, 12), small=(1000, 200), large=(8000, 1000))
SPLITS = dict(train='train', val='test')
SIDES = ((300, 400), (400, 300), (320, 400), (267, 400))  # height, width
STREET = StreetOptions(
    people=(1, 5), rows=(.62, 1.05), near=.3, spread=4, crowd=.2, poster=.2)
EMPTY = StreetOptions(people=(0, 0), things=(1, 3), poster=.5)
EMPTY_EVERY = 12
SEEN = 12  # pixels; who shows less is not there for anybody
DETECTIONS = ('person_detection_results/'
              'COCO_val2017_detections_AP_H_56_person.json')


class CocoWriter(Writer):
    """See the module. Whole-body files hold the persons of the others."""
    name = 'coco'
    stream = 3

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs = []
        for split, count in zip(SPLITS, PICTURES[size]):
            for number in range(count):
                image = 9 + 7 * len(jobs)
                jobs.append(
                    Job(
                        f'{split}2017/{image:012d}.jpg', SPLITS[split],
                        len(jobs),
                        dict(
                            image=image,
                            empty=number % EMPTY_EVERY == EMPTY_EVERY - 1)))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        size = SIDES[int(rng.integers(len(SIDES)))]
        options = EMPTY if job.options['empty'] else STREET
        scene = street_scene(rng, job.split, size, options, seed)
        rendered = scene.render()
        labels = SceneLabels(scene, rendered)
        people = [
            person for person in labels.people(garments=False)
            if person.mask.sum() >= SEEN
        ]
        photograph = encode_jpeg(
            scene.photograph(rendered), scene.camera.quality)
        record = _annotate(job, people, labels.unlabelled(), size)
        if job.split == SPLITS['val']:
            record['detections'] = _detections(rng, job, people, labels, size)
        return {job.path: photograph}, record

    def finish(self, root, jobs, records):
        written = []
        for split, owner in SPLITS.items():
            mine = [r for job, r in zip(jobs, records) if job.split == owner]
            for key, name in (('pose', f'person_keypoints_{split}2017'),
                              ('wholebody', f'coco_wholebody_{split}_v1.0')):
                written.append(f'annotations/{name}.json')
                write_coco(
                    osp.join(root, written[-1]), (r['image'] for r in mine),
                    (text for r in mine for text in r[key]))
        found = [text for r in records for text in r.get('detections', ())]
        text = '[' + ',\n'.join(found) + ']\n'
        write_file(osp.join(root, DETECTIONS), text.encode())
        return written + [DETECTIONS]


def _annotate(job, people, unlabelled, size) -> dict:
    """JSON text of a picture and of everybody in it."""
    image = job.options['image']
    height, width = size
    entry = dict(
        id=image, file_name=osp.basename(job.path), height=height, width=width)
    pose, wholebody = [], []
    for person in people:
        annotation = person_annotation(person, 100 * image + person.number,
                                       image)
        # Nobody looks for the hands of people too small for joints.
        known = annotation['num_keypoints'] > 0
        parts = wholebody_parts(person.wholebody * known)
        pose.append(json.dumps(annotation))
        wholebody.append(json.dumps({**annotation, **parts}))
    if 'crowd' in unlabelled:
        # COCO's ids of crowds are as easy to tell from others.
        annotation = crowd_annotation(unlabelled['crowd'],
                                      900100000000 + image, image)
        parts = wholebody_parts(np.zeros((133, 3)))
        pose.append(json.dumps(annotation))
        wholebody.append(json.dumps({**annotation, **parts}))
    return dict(image=json.dumps(entry), pose=pose, wholebody=wholebody)


def _detections(rng, job, people, labels, size) -> List[str]:
    """JSON text of what a detector finds in a picture."""
    traps = [mask_box(mask) for mask in labels.unlabelled().values()]
    found = detect(rng, [person.visible_box for person in people], traps, size)
    return [
        json.dumps(
            dict(
                bbox=box,
                category_id=1,
                image_id=job.options['image'],
                score=score)) for box, score in found
    ]
