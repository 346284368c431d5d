import logging
import os.path as osp
import random
from typing import List, Sequence

from mmcv.transforms import RandomFlip
from mmdet.datasets import CocoDataset
from mmdet.datasets.transforms import FilterAnnotations
from mmdet.registry import DATASETS
from mmengine.logging import print_log

from saip_mm.datasets.transforms.nested import flatten
from ..detection.box_checks import load_named
from ..detection.categories import NoProposalsMixin
from .flips import ParsingRandomFlip
from .label_files import LAYOUT, Split, find_root
from .parts import FLIP_PAIRS, NUM_PARTS, PALETTE, PARTS, named_source
from .person_index import TOOL, load_index
from .picture_scan import Picture

SAMPLE = 100  # pictures whose presence is checked at the start
FOLDERS = dict(
    img='Training/Images',
    category='Training/Category_ids',
    human='Training/Human_ids')


@DATASETS.register_module()
class CIHPDataset(NoProposalsMixin, CocoDataset):
    """CIHP: several persons a picture, and 20 parts of each.

    Boxes are the smallest around each person's pixels, of one category; the
    parts stay in the files, see ``LoadParsing``. Boxes and sizes stand in an
    index in COCO's form, made from the maps by the first process if it is
    not there (or by tools/dataset_converters/cihp.py). The folder may have
    the archive's own name, instance-level_human_parsing.

    ``metainfo['split']`` tells the metric where the labels are.

    Args:
        data_root (str): Folder of the data set; ``~`` is the user's.
        ann_file (str): Index. Defaults to 'annotations/cihp_train.json'.
        id_file (str): List of ids, one a line. Defaults to
            'Training/train_id.txt'.
        data_prefix (dict): Folders: ``img`` of the pictures, ``category``
            and ``human`` of their maps. Defaults to those of ``Training``.
        metainfo (dict, optional): ``parts``, ``part_palette`` and
            ``flip_pairs`` (numbers of the parts that a mirror exchanges)
            instead of CIHP's; the first part is the background.
        **kwargs: Arguments of ``mmdet.CocoDataset``.

    Raises:
        FileNotFoundError: If the list, or one of the first and 100 random
            pictures or maps, is missing.
        ValueError: If a map is none or fits no picture (see
            ``scan_picture``), the index is of other pictures, nobody is left
            to train on, or the pipeline mirrors without exchanging left and
            right, or drops persons.
    """

    METAINFO = dict(
        classes=('person', ),
        palette=[(220, 20, 60)],
        parts=PARTS,
        part_palette=PALETTE,
        flip_pairs=FLIP_PAIRS)

    def __init__(self,
                 data_root: str,
                 ann_file: str = 'annotations/cihp_train.json',
                 id_file: str = 'Training/train_id.txt',
                 data_prefix: dict = FOLDERS,
                 **kwargs) -> None:
        missing = sorted(FOLDERS.keys() - data_prefix.keys())
        if missing:
            raise ValueError(f'data_prefix names no {missing[0]}: give the '
                             'folders img, category and human')
        id_file = osp.expanduser(id_file)
        root = find_root(osp.expanduser(data_root or ''), id_file)
        self.id_file = osp.join(root, id_file)
        super().__init__(
            data_root=root,
            ann_file=osp.expanduser(ann_file),
            data_prefix={
                k: osp.expanduser(v)
                for k, v in data_prefix.items()
            },
            **kwargs)
        self._metainfo['split'] = self.split._asdict()
        check_transforms(self.pipeline.transforms)

    @property
    def split(self) -> Split:
        """Paths of the index, the list and the folders."""
        return Split(self.ann_file, self.id_file,
                     *(self.data_prefix[key] for key in FOLDERS))

    def load_data_list(self) -> List[dict]:
        """List pictures with their persons."""
        check_parts(self._metainfo)
        self._check_folders()
        parts = self._metainfo['parts']
        labels = dict(num_parts=len(parts), parts_of=named_source(parts))
        pictures = load_index(self.split, **labels)
        self._check_sample(pictures)
        self.cat_ids = [0]
        extra = dict(
            labels,
            flip_pairs=self._metainfo['flip_pairs'],
            size_file=self.ann_file)
        return [dict(self._sample(picture), **extra) for picture in pictures]

    def _sample(self, picture: Picture) -> dict:
        instances = []
        for person in picture.persons:
            x, y, w, h = person.bbox
            instances.append(
                dict(
                    bbox=[x, y, x + w, y + h],
                    bbox_label=0,
                    ignore_flag=0,
                    human_id=person.human_id))
        return dict(
            img_id=picture.id,
            height=picture.height,
            width=picture.width,
            instances=instances,
            **self.split.paths(picture.name))

    def _check_folders(self) -> None:
        for key in FOLDERS:
            folder = self.data_prefix[key]
            if '://' not in folder and not osp.isdir(folder):
                raise FileNotFoundError(f'there is no folder {folder}: set '
                                        f'data_prefix.{key}. {LAYOUT}')

    def _check_sample(self, pictures: List[Picture]) -> None:
        drawn = random.Random(0).sample(pictures, min(SAMPLE, len(pictures)))
        for picture in pictures[:1] + drawn:
            for path in self.split.paths(picture.name).values():
                if '://' not in path and not osp.isfile(path):
                    raise FileNotFoundError(
                        f'{path} ({self.id_file} names it) does not exist. '
                        f'{LAYOUT}')

    def filter_data(self) -> List[dict]:
        """Leave out, in training, pictures without a person, and small ones
        if ``filter_cfg`` says so (``min_size``)."""
        if self.test_mode:
            return self.data_list
        smallest = (self.filter_cfg or {}).get('min_size', 0)
        kept = [
            sample for sample in self.data_list if sample['instances']
            and min(sample['height'], sample['width']) >= smallest
        ]
        dropped = len(self.data_list) - len(kept)
        if dropped:
            print_log(
                f'{self.ann_file}: {dropped} of {len(self.data_list)} '
                'pictures show no person, or are too small, and are left out',
                'current')
        if not kept:
            raise ValueError(f'{self.ann_file}: nothing to train on, no '
                             f'picture of {len(self.data_list)} is left')
        return kept

    def prepare_data(self, idx: int) -> dict:
        """Load a picture."""
        return load_named(self.pipeline, self.get_data_info(idx))


def check_parts(metainfo: dict) -> None:
    """Refuse colours or pairs which do not belong to the parts.

    Args:
        metainfo (dict): ``parts``, ``part_palette``, ``flip_pairs``.

    Raises:
        ValueError: If one part alone is named, they are not as many as their
            colours, or a pair names no part.
    """
    parts = metainfo['parts']
    if isinstance(parts, str) or not 2 <= len(parts) <= 255:
        raise ValueError(f"metainfo['parts'] is {parts!r}: name the "
                         'background and the parts, 255 at most')
    if len(metainfo['part_palette']) != len(parts):
        raise ValueError(
            f"metainfo['part_palette'] has {len(metainfo['part_palette'])} "
            f'colours for {len(parts)} parts')
    numbers = [number for pair in metainfo['flip_pairs'] for number in pair]
    if len(set(numbers)) != len(numbers) or not all(
            isinstance(n, int) and 0 < n < len(parts) for n in numbers):
        raise ValueError(
            f"metainfo['flip_pairs'] is {metainfo['flip_pairs']!r}: pairs of "
            f'numbers from 1 to {len(parts) - 1}, each once')
    if len(parts) != NUM_PARTS:
        print_log(
            f'{len(parts)} parts instead of CIHP\'s {NUM_PARTS}: set '
            f'model.roi_head.mask_head.num_parts={len(parts)}', 'current',
            logging.WARNING)


def check_transforms(transforms: Sequence) -> None:
    """Refuse what would part persons from their parts.

    Args:
        transforms (Sequence): Built transforms; containers are looked into.

    Raises:
        ValueError: If one mirrors without exchanging left and right, or
            drops boxes without the persons' numbers.
    """
    for transform in flatten(transforms):
        name = type(transform).__name__
        if isinstance(transform, RandomFlip) and not isinstance(
                transform, ParsingRandomFlip):
            raise ValueError(
                f'a mirrored left arm is a right arm, which {name} does not '
                'know: use ParsingRandomFlip')
        if isinstance(transform, FilterAnnotations):
            raise ValueError(
                f'{name} drops boxes and keeps the numbers of their persons: '
                f'leave it out; persons without a pixel are not in the index '
                f'that {TOOL} makes')
