import os
import os.path as osp
from typing import Iterator, List, Sequence

from mmcv.transforms import RandomFlip
from mmseg.datasets import LIPDataset
from mmseg.registry import DATASETS

# classes which a mirror exchanges: arms, legs, shoes of the person
FLIP_PAIRS = ((14, 15), (16, 17), (18, 19))
NESTED = dict(
    img_path='TrainVal_images', seg_map_path='TrainVal_parsing_annotations')
LAYOUT = '''LIP lies like this, one nested level as in the zip files allowed:
  train_images/<id>.jpg         val_images/         (TrainVal_images.zip)
  train_segmentations/<id>.png  val_segmentations/  \
(TrainVal_parsing_annotations.zip)
  train_id.txt  val_id.txt'''


@DATASETS.register_module()
class LIPPartsDataset(LIPDataset):
    """LIP: 20 classes of a person's pixels, with its mistakes named.

    mmseg's dataset, whose files are looked for in ``data_root`` and, as the
    published zip files unpack, in ``TrainVal_images/`` and
    ``TrainVal_parsing_annotations/``. Pictures, labels and the id list are
    compared before training starts.

    Args:
        data_root (str): Folder of the data set.
        ann_file (str): List of ids, one a line, without extension. Defaults
            to '': everything in the folder of pictures.
        data_prefix (dict): Folders ``img_path`` and ``seg_map_path`` in
            ``data_root``.
        **kwargs: Arguments of ``mmseg.LIPDataset``.

    Raises:
        FileNotFoundError: If a folder, the list, a picture or a label is
            missing.
        ValueError: If ids carry an extension; if the pipeline flips without
            exchanging left and right; if classes would be shifted
            (``reduce_zero_label``).
    """

    METAINFO = dict(LIPDataset.METAINFO, flip_pairs=FLIP_PAIRS)

    def __init__(self,
                 data_root: str,
                 ann_file: str = '',
                 data_prefix: dict = dict(
                     img_path='train_images',
                     seg_map_path='train_segmentations'),
                 pipeline: Sequence[dict] = (),
                 reduce_zero_label: bool = False,
                 **kwargs) -> None:
        if reduce_zero_label:
            raise ValueError('reduce_zero_label=True would make Hat class 0 '
                             'and ignore the background: LIP is labelled '
                             '0-19, leave it at False')
        super().__init__(
            data_root=data_root,
            ann_file=_find_list(data_root, ann_file),
            data_prefix={
                key: _find_folder(data_root, key, folder)
                for key, folder in data_prefix.items()
            },
            pipeline=list(pipeline),
            **kwargs)
        check_flips(self.pipeline.transforms)

    def load_data_list(self) -> List[dict]:
        """List pictures with their labels, once both are there."""
        if self.ann_file:
            self._check_ids()
        samples = super().load_data_list()
        if not samples:
            raise FileNotFoundError(
                f'no {self.img_suffix} pictures in '
                f'{self.data_prefix["img_path"]}.\n{LAYOUT}')
        missing = [(number, _id_of(sample['seg_map_path']))
                   for number, sample in enumerate(samples, 1)
                   if not osp.isfile(sample['seg_map_path'])]
        if missing:
            number, first = missing[0]
            line = (f' ({osp.basename(self.ann_file)} line {number})'
                    if self.ann_file else '')
            raise FileNotFoundError(
                f'{len(missing)} of {len(samples)} images have no label in '
                f'{self.data_prefix["seg_map_path"]}, first {first}{line}')
        if not self.ann_file:
            self._check_labels(samples)
        return samples

    def _check_labels(self, samples: List[dict]) -> None:
        """Refuse a label without its picture, which no list would miss."""
        folder = self.data_prefix['seg_map_path']
        labels = {
            _id_of(name)
            for name in os.listdir(folder)
            if name.endswith(self.seg_map_suffix)
        }
        alone = sorted(labels -
                       {_id_of(sample['img_path'])
                        for sample in samples})
        if alone:
            raise FileNotFoundError(
                f'{len(alone)} of {len(labels)} labels have no image in '
                f'{self.data_prefix["img_path"]}, first {alone[0]}: copy it, '
                'or name the pictures wanted in ann_file')

    def _check_ids(self) -> None:
        with open(self.ann_file) as file:
            ids = file.read().splitlines()
        name = osp.basename(self.ann_file)
        for number, line in enumerate(ids, 1):
            if osp.splitext(line)[1] in (self.img_suffix, '.png'):
                raise ValueError(f'{self.ann_file} ({name} line {number}): '
                                 f'{line}, but ids carry no extension')
        absent = [(number, line) for number, line in enumerate(ids, 1)
                  if not osp.isfile(
                      osp.join(self.data_prefix['img_path'],
                               line.strip() + self.img_suffix))]
        if absent:
            number, line = absent[0]
            raise FileNotFoundError(
                f'{len(absent)} of {len(ids)} ids of {self.ann_file} have no '
                f'image in {self.data_prefix["img_path"]}, first {line} '
                f'({name} line {number})')


def check_flips(transforms: Sequence) -> None:
    """Refuse a flip of labels which leaves left and right as they were.

    Args:
        transforms (Sequence): Built transforms; containers are looked into.

    Raises:
        ValueError: If a ``RandomFlip`` lacks one of ``FLIP_PAIRS``.
    """
    for transform in _flatten(transforms):
        if isinstance(transform, RandomFlip):
            pairs = transform.swap_seg_labels or ()
            given = {tuple(sorted(pair)) for pair in pairs}
            if given != set(FLIP_PAIRS):
                raise ValueError(
                    'a mirrored left arm is a right arm: RandomFlip needs '
                    f'swap_seg_labels={list(FLIP_PAIRS)}, got '
                    f'{[tuple(pair) for pair in pairs]}')


def _flatten(transforms: Sequence) -> Iterator:
    for transform in transforms:
        yield transform
        inner = getattr(transform, 'transforms', ())
        yield from _flatten(getattr(inner, 'transforms', inner))


def _find_list(data_root: str, ann_file: str) -> str:
    if not ann_file:
        return ann_file
    places = [ann_file, osp.join(NESTED['img_path'], ann_file)]
    return _first(data_root, places, osp.isfile)


def _find_folder(data_root: str, key: str, folder: str) -> str:
    outer = NESTED.get(key, '')
    # the second zip file holds a folder of its own name
    places = [folder, osp.join(outer, folder), osp.join(outer, outer, folder)]
    return _first(data_root, places, osp.isdir)


def _first(data_root: str, places: Sequence[str], exists) -> str:
    for place in places:
        if exists(osp.join(data_root, place)):
            return place
    raise FileNotFoundError(f'{osp.join(data_root, places[0])} does not '
                            f'exist: set data_root. {LAYOUT}')


def _id_of(path: str) -> str:
    return osp.splitext(osp.basename(path))[0]
