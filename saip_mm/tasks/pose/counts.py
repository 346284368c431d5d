"""Counts of COCO's persons, for tools/dataset_converters/check_data.py."""
import os.path as osp
from typing import Dict

from ...datasets.prepare.data_check import Counted, count_files
from .annotations import BODY, WHOLE_BODY
from .coco_file import read_detections, read_persons

DETECTIONS = ('person_detection_results/'
              'COCO_val2017_detections_AP_H_56_person.json')


def count_coco(root: str, read: bool = False) -> Counted:
    """Count COCO's pictures and the persons with joints in them.

    Args:
        root (str): Folder of ``annotations``, ``train2017`` and
            ``val2017``.
        read (bool): Whether to open every picture. Defaults to False.

    Returns:
        Counted: For 'train' and 'val': 'pictures' (that are there), of those
        listed, and 'persons' (no crowds, with a labelled joint); 'val boxes
        of the detector'.
    """
    return _count(root, 'person_keypoints_{}2017.json', BODY, read)


def count_wholebody(root: str, read: bool = False) -> Counted:
    """As :func:`count_coco`, by COCO-WholeBody's annotations."""
    return _count(root, 'coco_wholebody_{}_v1.0.json', WHOLE_BODY, read)


def _count(root: str, form: str, parts: Dict[str, int], read: bool) -> Counted:
    counted, images, source = Counted(), {}, ''
    for split in ('train', 'val'):
        source = osp.join(root, 'annotations', form.format(split))
        try:
            data, notes = read_persons(source, parts)
        except (AssertionError, ValueError) as error:
            counted.problems.append(str(error))
            images = {}
            continue
        images = {image['id']: image for image in data['images']}
        counted.notes += [f'{source}: {note}' for note in notes.values()]
        counted.numbers[f'{split} pictures'] = count_files(
            (osp.join(root, f'{split}2017', image['file_name'])
             for image in images.values()), f'pictures of {source}', counted,
            read, [(i['height'], i['width']) for i in images.values()])
        counted.numbers[f'{split} persons'] = sum(
            not person['iscrowd'] and person['num_keypoints'] > 0
            for person in data['annotations'])
    if images:
        _count_boxes(root, images, source, counted)
    return counted


def _count_boxes(root: str, images: dict, source: str,
                 counted: Counted) -> None:
    """The detector's, of pictures to validate; the test wants them all."""
    path = osp.join(root, DETECTIONS)
    try:
        boxes, notes = read_detections(path, images, {1}, source)
    except AssertionError as error:  # configs *_gt_boxes.py do without
        counted.notes.append(f'{error}: configs *_gt_boxes.py need none')
        return
    except ValueError as error:
        counted.problems.append(str(error))
        return
    counted.notes += [f'{path}: {note}' for note in notes.values()]
    counted.numbers['val boxes of the detector'] = len(boxes)
