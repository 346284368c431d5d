"""ICFG-PEDES: MSMT17's pictures, a sentence each.

``imgs/{train,test}/<pid:4>/*.jpg`` and ``ICFG-PEDES.json``; there is no val,
and the ids of both splits count from 0.
"""
import re

from .base import Job
from .captioned import CaptionedWriter, Sighting, below_images


class IcfgPedesWriter(CaptionedWriter):
    """See the module."""
    name = 'icfg_pedes'
    stream = 32
    persons = dict(
        tiny=(10, 0, 6), small=(250, 0, 80), large=(3_102, 0, 1_000))
    pictures = (3, 6)  # the real set has 11 a person to train, 20 to test
    sentences = 1
    file = 'ICFG-PEDES.json'

    def path(self, sighting: Sighting, number: int) -> str:
        split, pid, picture, camera = sighting
        return (f'{split}/{pid:04d}/{pid:04d}_{picture:03d}_{camera + 1:02d}_'
                f'0303morning_{number:04d}_0.jpg')

    def record(self, job: Job, captions):
        return dict(
            split=job.options['split'],
            captions=captions,
            file_path=below_images(job),
            processed_tokens=[
                re.findall('[a-z]+', text.lower()) for text in captions
            ],
            id=job.options['person'])
