"""RSTPReid: five of MSMT17's pictures a person, two sentences each.

``imgs/*.jpg`` and ``data_captions.json``; ids count through all splits, from
0.
"""
from .base import Job
from .captioned import CaptionedWriter, Sighting, below_images


class RstpReidWriter(CaptionedWriter):
    """See the module."""
    name = 'rstpreid'
    stream = 33
    persons = dict(
        tiny=(8, 2, 4), small=(200, 20, 60), large=(3_701, 200, 200))
    pictures = (5, 5)
    sentences = 2
    file = 'data_captions.json'

    def plan(self, size, seed):
        jobs = super().plan(size, seed)
        train, val, _ = self.persons[size]
        before = dict(train=0, val=train, test=train + val)
        for job in jobs:
            job.options['id'] = before[job.options['split']] + (
                job.options['person'])
        return jobs

    def path(self, sighting: Sighting, number: int) -> str:
        return f'{number // 5:04d}_c{sighting.camera + 1}_{number:04d}.jpg'

    def record(self, job: Job, captions):
        return dict(
            id=job.options['id'],
            img_path=below_images(job),
            captions=captions,
            split=job.options['split'])
