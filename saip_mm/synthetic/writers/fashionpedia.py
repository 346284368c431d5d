"""Fashionpedia: a person or two, their garments' outlines and attributes.

``train/<hash>.jpg`` and ``test/<hash>.jpg`` (validation, as published) and
``instances_attributes_{train,val}2020.json``. The knowledge matrix is left to
``tools/dataset_converters/fashionpedia_knowledge.py``.
"""
import hashlib
import json
import os.path as osp
from typing import List

from ...datasets.fashion_taxonomy import ATTRIBUTES, CATEGORIES
from ..labels.coco_format import polygons, write_coco
from ..labels.people_labels import SceneLabels, mask_box
from ..scene.camera import encode_jpeg
from ..scene.scene import CropOptions, crop_scene
from .base import Job, Writer

PICTURES = dict(tiny=(60, 20), small=(1200, 200), large=(10_000, 1000))
SPLITS = dict(train='train', val='test')  # of a file: persons', and folder
OPTIONS = CropOptions(
    heights=(224, 352), truncated=.1, others=.12, covered=.08)
SEEN = 20  # pixels; of a garment that shows less nobody draws the outline


class FashionpediaWriter(Writer):
    """See the module. Everybody's garments are labelled."""
    name = 'fashionpedia'
    stream = 7

    def plan(self, size: str, seed: int) -> List[Job]:
        jobs = []
        for split, count in zip(SPLITS, PICTURES[size]):
            for _ in range(count):
                index = len(jobs)
                digest = hashlib.sha256(f'fashion/{seed}/{index}'.encode())
                jobs.append(
                    Job(f'{SPLITS[split]}/{digest.hexdigest()[:32]}.jpg',
                        SPLITS[split], index, dict(image=index + 1)))
        return jobs

    def render(self, job, seed):
        rng = job.generator(self.stream, seed)
        scene = crop_scene(rng, job.split, OPTIONS, seed=seed)
        rendered = scene.render()
        garments = [
            item for person in SceneLabels(scene, rendered).people()
            for item in person.fashion()
        ]
        photograph = scene.photograph(rendered)
        return {
            job.path: encode_jpeg(photograph, scene.camera.quality)
        }, _annotate(job, garments, photograph.shape)

    def finish(self, root, jobs, records):
        written = []
        for split, owner in SPLITS.items():
            mine = [r for job, r in zip(jobs, records) if job.split == owner]
            written.append(f'instances_attributes_{split}2020.json')
            write_coco(
                osp.join(root, written[-1]), (r['image'] for r in mine),
                (text for r in mine for text in r['annotations']),
                categories=[term._asdict() for term in CATEGORIES],
                attributes=[term._asdict() for term in ATTRIBUTES])
        return written


def _annotate(job: Job, garments: list, shape: tuple) -> dict:
    """JSON text of a picture and of all garments in it."""
    image, annotations = job.options['image'], []
    for category, attributes, mask in garments:
        outline = polygons(mask) if mask.sum() >= SEEN else []
        if not outline:
            continue
        annotation = dict(
            id=100 * image + len(annotations),
            image_id=image,
            category_id=category,
            attribute_ids=attributes,
            segmentation=outline,
            bbox=list(mask_box(mask)),
            area=int(mask.sum()),
            iscrowd=0)
        annotations.append(json.dumps(annotation))
    entry = dict(
        id=image,
        file_name=osp.basename(job.path),
        height=shape[0],
        width=shape[1])
    return dict(image=json.dumps(entry), annotations=annotations)
