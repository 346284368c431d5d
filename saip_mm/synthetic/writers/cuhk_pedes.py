"""CUHK-PEDES: persons of five older sets, two sentences a picture.

``imgs/{CUHK01,CUHK03,Market,cam_a,cam_b,test_query,train_query}/`` and
``reid_raw.json``; ids count through all splits, from 1. Some pictures are PNG.
"""
import re

from .base import Job
from .captioned import CaptionedWriter, Sighting, below_images

FOLDERS = ('CUHK01', 'CUHK03', 'Market', 'cam_a', 'cam_b', 'test_query',
           'train_query')


class CuhkPedesWriter(CaptionedWriter):
    """See the module."""
    name = 'cuhk_pedes'
    stream = 31
    persons = dict(
        tiny=(16, 4, 8), small=(600, 60, 120), large=(11_003, 1_000, 1_000))
    pictures = (2, 4)
    sentences = 2
    file = 'reid_raw.json'

    def plan(self, size, seed):
        jobs = super().plan(size, seed)
        train, val, _ = self.persons[size]
        before = dict(train=0, val=train, test=train + val)
        for job in jobs:
            job.options['id'] = before[job.options['split']] + 1 + (
                job.options['person'])
        return jobs

    def path(self, sighting: Sighting, number: int) -> str:
        folder = FOLDERS[number % len(FOLDERS)]
        suffix = 'png' if folder == 'CUHK01' else 'jpg'
        return f'{folder}/{number + 1:07d}.{suffix}'

    def record(self, job: Job, captions):
        return dict(
            split=job.options['split'],
            captions=captions,
            file_path=below_images(job),
            processed_tokens=[
                re.findall('[a-z]+', text.lower()) for text in captions
            ],
            id=job.options['id'])
