import logging
import os
import os.path as osp
from typing import Dict, Iterator, List, Optional, Sequence, Union

from mmengine.logging import print_log
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from saip_mm.datasets.labelled_files import (describe_left_out, find_files,
                                             read_ids)
from saip_mm.datasets.seeded import seeded_draws
from .flips import check_flips
from .label_probe import probe_labels
from .label_set import IGNORED, complete_labels, label_map, widows


@DATASETS.register_module()
class PartsDataset(BaseSegDataset):
    """Part labels of one's own: pictures, PNG labels and their names.

    Pictures, labels and the list are compared before training starts, and
    some labels read. Pairs that a mirror exchanges are told to
    ``RandomPartFlip`` and ``PartFlipTTA``.

    With ``mmpretrain.ResumableSampler``, whose numbers tell the epoch, what
    transforms draw follows from seed, epoch and picture alone, so that a
    training resumes exactly.

    Args:
        data_root (str): Folder of the data set; ``~`` is one's home.
        ann_file (str): List of ids, one a line: a picture's path in its
            folder, without extension. Defaults to '': everything there.
        data_prefix (dict): Folders ``img_path`` and ``seg_map_path`` in
            ``data_root``; a label is named as its picture.
        metainfo (dict, optional): ``classes``, names in the order of their
            numbers, 0 first, or a text file of them; optional ``palette``,
            their RGB colours; optional ``flip_pairs``, classes which a
            mirror exchanges, by number or name. Left out, pairs are those
            whose names differ in left and right alone.
        img_suffix (str | Sequence[str]): Ends of the pictures' names;
            '.jpg' stands for .jpeg, .jpe and .jfif, and capitals do not
            matter. Defaults to '.jpg'.
        seg_map_suffix (str): End of the labels' names. Defaults to '.png'.
        reduce_zero_label (bool): Refused where True.
        **kwargs: Arguments of ``mmseg.BaseSegDataset``.

    Raises:
        FileNotFoundError: If a folder, the list, a picture or a label is
            missing.
        ValueError: If a file is empty, a label is none, an id carries an
            extension; if the names, colours or pairs contradict each other;
            if the pipeline flips without exchanging left and right.
    """

    METAINFO: dict = {}
    seed: Optional[int] = None  # of draws; ResumableSampler gives its own
    LABELS_OF = 'metainfo.classes'  # has the numbers in the files
    OUTER: Dict[str, str] = {}  # folders around those of data_prefix
    LAYOUT = ('Pictures lie in the folder data_prefix.img_path, labels of the '
              'same names in data_prefix.seg_map_path, both in data_root')

    def __init__(self,
                 data_root: str,
                 ann_file: str = '',
                 data_prefix: dict = dict(
                     img_path='train_images',
                     seg_map_path='train_segmentations'),
                 metainfo: Optional[dict] = None,
                 img_suffix: Union[str, Sequence[str]] = '.jpg',
                 pipeline: Sequence[dict] = (),
                 reduce_zero_label: bool = False,
                 **kwargs) -> None:
        if reduce_zero_label:
            raise ValueError(
                'reduce_zero_label=True would ignore class 0 and shift all '
                'others by one: leave it at False, and name number 0 too')
        missing = {'img_path', 'seg_map_path'} - data_prefix.keys()
        if missing:
            raise ValueError(f'data_prefix names no {min(missing)}: give the '
                             'folders img_path and seg_map_path')
        data_root = osp.expanduser(data_root or '')
        super().__init__(
            data_root=data_root,
            ann_file=self._find_list(data_root, ann_file),
            data_prefix={
                key: self._find_folder(data_root, key, folder)
                for key, folder in data_prefix.items()
            },
            metainfo=metainfo,
            img_suffix=img_suffix,
            pipeline=list(pipeline),
            **kwargs)
        if self.label_map is not None:
            ignored = list(self.label_map.values()).count(IGNORED)
            self._tell(
                f'{len(self._metainfo["classes"])} of {self.LABELS_OF}\'s '
                f'{len(self.label_map)} classes, renumbered in their order, '
                f'{ignored} ignored; labels with numbers of their own are '
                "type='PartsDataset'")
        check_flips(self.pipeline.transforms, self._metainfo['flip_pairs'],
                    self._metainfo['classes'],
                    widows(self._metainfo['classes'], self.METAINFO))

    def __getitem__(self, index: int) -> dict:
        """A sample; ``epoch * len(self) + index`` where draws are seeded."""
        if self.seed is None:
            return super().__getitem__(index)
        epoch, index = divmod(int(index), len(self))
        with seeded_draws(self.seed, max(epoch, 0), index):
            return super().__getitem__(index)

    def __iter__(self) -> Iterator[dict]:
        # without it Python would count up through epoch after epoch
        return (self[index] for index in range(len(self)))

    @classmethod
    def _load_metainfo(cls, metainfo=None) -> dict:
        merged = super()._load_metainfo(metainfo)
        given = {key: merged[key] for key in metainfo or {}}
        merged.update(complete_labels(given, cls.METAINFO))
        return merged

    @classmethod
    def get_label_map(cls, new_classes=None) -> Optional[Dict[int, int]]:
        """New number of each stored one, None if they stay as they are."""
        return label_map(new_classes, cls.METAINFO)

    def _update_palette(self) -> list:
        return self._metainfo['palette']

    def load_data_list(self) -> List[dict]:
        """List pictures with their labels, once both are there."""
        folders = [self.data_prefix[k] for k in ('img_path', 'seg_map_path')]
        shared = osp.realpath(folders[0]) == osp.realpath(folders[1])
        pictures = find_files(folders[0], self.img_suffix,
                              self.seg_map_suffix if shared else None)
        labels = find_files(folders[1], self.seg_map_suffix).files
        if self.ann_file:
            ids = self._read_list(pictures.files)
        else:
            ids = [(None, key) for key in sorted(pictures.files)]
            if pictures.left_out and not shared:
                self._tell(f'{describe_left_out(pictures.left_out)} in '
                           f'{folders[0]} left out: img_suffix is '
                           f'{self.img_suffix!r}')
        if not ids:
            raise FileNotFoundError(f'no {self.img_suffix} pictures in '
                                    f'{folders[0]}.\n{self.LAYOUT}')
        self._check_labels(ids, labels)
        if not self.ann_file:
            self._check_pictures(pictures.files, labels)
        samples = [
            self._sample(pictures.files[key], labels[key]) for _, key in ids
        ]
        for key in ('img_path', 'seg_map_path'):
            _refuse_empty([sample[key] for sample in samples])
        probe_labels(samples, self.pipeline.transforms, self._tell)
        return samples

    def _sample(self, img_path: str, seg_map_path: str) -> dict:
        own = self.label_map is None
        names = self._metainfo['classes'] if own else self.METAINFO['classes']
        known = set(names) <= set(self.METAINFO.get('classes', ()))
        return dict(
            img_path=img_path,
            seg_map_path=seg_map_path,
            label_map=self.label_map,
            reduce_zero_label=False,
            seg_fields=[],
            flip_pairs=self._metainfo['flip_pairs'],
            num_labels=len(names),
            labels_of=(self if known else PartsDataset).LABELS_OF)

    def _read_list(self, pictures: Dict[str, str]) -> list:
        ids, again = read_ids(self.ann_file)
        if again:
            self._tell(f'{again} of {len(ids) + again} ids come again in '
                       f'{self.ann_file}: each is taken once')
        absent = [(number, key) for number, key in ids if key not in pictures]
        if absent:
            number, key = absent[0]
            raise FileNotFoundError(
                f'{len(absent)} of {len(ids)} ids of {self.ann_file} have no '
                f'image (img_suffix {self.img_suffix!r}) in '
                f'{self.data_prefix["img_path"]}, first {key} '
                f'({osp.basename(self.ann_file)} line {number})')
        return ids

    def _check_labels(self, ids: list, labels: Dict[str, str]) -> None:
        missing = [(number, key) for number, key in ids if key not in labels]
        if missing:
            number, first = missing[0]
            line = (f' ({osp.basename(self.ann_file)} line {number})'
                    if self.ann_file else '')
            raise FileNotFoundError(
                f'{len(missing)} of {len(ids)} images have no label '
                f'(seg_map_suffix {self.seg_map_suffix!r}) in '
                f'{self.data_prefix["seg_map_path"]}, first {first}{line}')

    def _check_pictures(self, pictures: dict, labels: dict) -> None:
        """Refuse a label without its picture, which no list would miss."""
        alone = sorted(labels.keys() - pictures.keys())
        if alone:
            raise FileNotFoundError(
                f'{len(alone)} of {len(labels)} labels have no image in '
                f'{self.data_prefix["img_path"]}, first {alone[0]}: copy it, '
                f'look at img_suffix ({self.img_suffix!r}), or name the '
                'pictures wanted in ann_file')

    def _tell(self, message: str) -> None:
        print_log(f'{type(self).__name__}: {message}', 'current',
                  logging.WARNING)

    def _find_list(self, data_root: str, ann_file: str) -> str:
        if not ann_file:
            return ann_file
        ann_file = osp.expanduser(ann_file)
        places = [ann_file]
        if 'img_path' in self.OUTER:
            places.append(osp.join(self.OUTER['img_path'], ann_file))
        return self._first(data_root, places, osp.isfile)

    def _find_folder(self, data_root: str, key: str, folder: str) -> str:
        places = [osp.expanduser(folder)]
        outer = self.OUTER.get(key)
        if outer:  # a zip file may hold a folder of its own name
            places += [osp.join(outer, folder), osp.join(outer, outer, folder)]
        return self._first(data_root, places, osp.isdir)

    def _first(self, data_root: str, places: Sequence[str], exists) -> str:
        for place in places:
            if exists(osp.join(data_root, place)):
                return place
        kind = 'file' if exists is osp.isfile else 'folder'
        raise FileNotFoundError(
            f'there is no {kind} {osp.join(data_root, places[0])}: set '
            f'data_root. {self.LAYOUT}')


def _refuse_empty(paths: Sequence[str]) -> None:
    empty = [path for path in paths if not os.stat(path).st_size]
    if empty:
        raise ValueError(f'{len(empty)} of {len(paths)} files are empty (0 '
                         f'bytes), first {empty[0]}: copy them again')
