"""Persons with sentences about them, for search by text."""
import os.path as osp
from typing import Any, List, Optional, Sequence, Tuple, Union

from mmengine.logging import print_log

from mmpretrain.registry import DATASETS
from saip_mm.datasets.retrieval import PersonRetrievalDataset
from .caption_file import SPLITS, CaptionRecord, read_captions
from .pack import PackCaptions
from .tokenizer import clean_caption

PIPELINE = (dict(type='DecodeImage'), dict(type='NumpyToPIL', to_rgb=False),
            dict(type='torchvision/Resize',
                 size=(384, 128)), dict(type='PackCaptions'))


@DATASETS.register_module()
class CaptionedPersons(PersonRetrievalDataset):
    """Pictures of persons, and sentences, of one's own.

    Of the training split each item is one sentence with its picture and
    ``gt_label``, the place of its person among the sorted ids. Of the others
    each item is one picture with all its sentences: all pictures are the
    gallery, all sentences the queries. No camera is known. An item is::

        dict(img_path, pid, captions=[...], record)

    ``record`` is the place in the file, from 0. A sample is ``dict(inputs=
    tensor (3, h, w), data_samples=DataSample)``, see :class:`PackCaptions`,
    and never replaced by another one. ``metainfo`` has ``num_ids``,
    ``num_images`` and ``num_captions``.

    Args:
        data_root (str): Folder of the set.
        split (str): 'train', 'val' or 'test'. Defaults to 'train'.
        ann_file (str): File of the captions, see :func:`read_captions`.
            Defaults to '': the name that the set has, 'captions.json' here.
        data_prefix (str | dict): Folder of the pictures. Defaults to 'imgs'.
        pipeline (Sequence): Transforms. Defaults to decoding, resizing to
            384x128 and packing.
        relabel (bool, optional): Whether the persons to train may have any
            numbers; else these are counted without gaps. Defaults to None:
            as the set says, here True.
        skip_empty (bool): Whether captions without a word are left out of
            training, and counted, instead of an error. Defaults to False.
        **kwargs: Of mmpretrain's ``BaseDataset``.

    Raises:
        FileNotFoundError: If a folder, the file or a picture is missing.
        ValueError: If a record is wrong, a caption empty, a number out of
            place, or nothing is left.
    """

    METAINFO = dict(dataset_name='persons with captions')
    SPLITS = SPLITS
    ANNOTATIONS: Tuple[str, ...] = ('captions.json', )
    FIRST_ID = 0  # of the persons to train, where they are not relabelled
    RELABEL = True
    GLOBAL_IDS = False  # whether a person is of one split alone

    def __init__(self,
                 data_root: str = '',
                 split: str = 'train',
                 ann_file: str = '',
                 data_prefix: Union[str, dict] = 'imgs',
                 pipeline: Sequence = PIPELINE,
                 relabel: Optional[bool] = None,
                 skip_empty: bool = False,
                 **kwargs) -> None:
        self.relabel = self.RELABEL if relabel is None else relabel
        self.skip_empty = skip_empty
        super().__init__(
            data_root,
            split,
            pipeline,
            ann_file=ann_file,
            data_prefix=data_prefix,
            **kwargs)
        self.pack = PackCaptions()

    def load_data_list(self) -> List[dict]:
        """Read the file, check all of it, take one split."""
        path = self.find_file()
        records = read_captions(path)
        self.check_ids(records, path)
        mine = [record for record in records if record.split == self.split]
        if not mine:
            there = sorted({record.split for record in records})
            raise ValueError(f"'{path}' has no records of split "
                             f"'{self.split}', only of {', '.join(there)}")
        self._check_pictures(mine, path)
        given = sum(len(record.captions) for record in mine)
        mine = [self._with_words(record, path) for record in mine]
        self._count(mine, given)
        if self.split != 'train':
            return [self._entry(r, r.captions) for r in mine]
        return [self._entry(r, (text, )) for r in mine for text in r.captions]

    def filter_data(self) -> List[dict]:
        """Label persons; the file has been checked."""
        if not self.data_list:
            raise ValueError(f"no caption of split '{self.split}' is left in "
                             f"'{self.data_root}'")
        pids = sorted({info['pid'] for info in self.data_list})
        labels = {pid: label for label, pid in enumerate(pids)}
        for info in self.data_list:
            pid = info['pid']
            info['gt_label'] = labels[pid] if self.split == 'train' else pid
        self._metainfo['num_ids'] = len(pids)
        return self.data_list

    def prepare_data(self, idx: int) -> Any:
        """A sample, or an error that names file and record."""
        try:
            return super().prepare_data(idx)
        except OSError as error:
            record = self.get_data_info(idx)['record']
            raise type(error)(f'{error} (record {record})') from error

    def extra_repr(self) -> List[str]:
        """Split, root and, once loaded, what is in it."""
        counts = ('num_images', 'num_captions', 'num_ids')
        facts = dict(Split=self.split, Root=self.data_root)
        facts.update(
            (name, self._metainfo.get(name, 'not loaded')) for name in counts)
        return [f'{name}: \t{value}' for name, value in facts.items()]

    def _entry(self, record: CaptionRecord, captions: Sequence[str]) -> dict:
        return dict(
            img_path=osp.join(self.data_prefix['img_path'], record.path),
            pid=record.pid,
            captions=list(captions),
            record=record.number)

    def find_file(self) -> str:
        """Path of the file of captions, once the folders are there.

        Raises:
            FileNotFoundError: Names all that were looked for.
        """
        names = [self.ann_file] if self.ann_file else [
            osp.join(self.data_root, name) for name in self.ANNOTATIONS
        ]
        folder = self.data_prefix['img_path']
        for place in (self.data_root, folder):
            if not osp.isdir(place or '.'):
                raise FileNotFoundError(
                    f"there is no folder '{place}': set data_root to that of "
                    f'{names[0]}, and data_prefix to that of its pictures '
                    "('imgs')")
        path = next((name for name in names if osp.isfile(name)), None)
        if path is None:
            raise FileNotFoundError('there is no file '
                                    f'{" or ".join(map(repr, names))}: set '
                                    'data_root, or ann_file')
        return path

    def check_ids(self, records: List[CaptionRecord], path: str) -> None:
        """Refuse gaps in the numbers of persons, and persons of two splits.

        Args:
            records (list[CaptionRecord]): Of all splits.
            path (str): Their file, for the error.
        """
        pids = {
            split: {r.pid
                    for r in records if r.split == split}
            for split in SPLITS
        }
        train = pids['train']
        wanted = range(self.FIRST_ID, self.FIRST_ID + len(train))
        gaps = sorted(set(wanted) - train)
        if gaps and not self.relabel:
            raise ValueError(
                f"'{path}': training ids are not {wanted[0]}..{wanted[-1]} "
                f'(first gap: {gaps[0]}); data of your own: relabel=True')
        both = sorted(train & (pids['val'] | pids['test']))
        if self.GLOBAL_IDS and both:
            raise ValueError(
                f"'{path}': {len(both)} persons are to train and to test, "
                f'first id {both[0]}; its splits share nobody')

    def _check_pictures(self, records: List[CaptionRecord], path: str) -> None:
        folder = self.data_prefix['img_path']
        absent = [
            r for r in records if not osp.isfile(osp.join(folder, r.path))
        ]
        if absent:
            raise FileNotFoundError(
                f"{len(absent)} of {len(records)} pictures of '{path}', "
                f"split '{self.split}', are missing, first "
                f"'{osp.join(folder, absent[0].path)}' (record "
                f'{absent[0].number})')

    def _with_words(self, record: CaptionRecord, path: str) -> CaptionRecord:
        """Refuse, or leave out, captions without a word."""
        kept = [text for text in record.captions if clean_caption(text)]
        if len(kept) < len(record.captions) and not (self.split == 'train'
                                                     and self.skip_empty):
            more = ('; skip_empty=True leaves it out'
                    if self.split == 'train' else '')
            raise ValueError(
                f'{osp.basename(path)} record {record.number}: a caption is '
                f'empty, nothing is left of it after cleaning{more}')
        return record._replace(captions=tuple(kept))

    def _count(self, records: List[CaptionRecord], given: int) -> None:
        captions = sum(len(record.captions) for record in records)
        silent = sum(not record.captions for record in records)
        persons = len({record.pid for record in records})
        self._metainfo.update(num_images=len(records), num_captions=captions)
        notes = [f'{silent} pictures without one'] * bool(silent)
        if captions < given:
            notes.append(f'{given - captions} empty ones left out')
        print_log(
            f'{self._metainfo["dataset_name"]} {self.split}: {len(records)} '
            f'pictures of {persons} persons, '
            f'{", ".join([f"{captions} captions", *notes])}', 'current')


@DATASETS.register_module()
class CUHKPEDESDataset(CaptionedPersons):
    """CUHK-PEDES: ``imgs/`` and ``reid_raw.json``, ids from 1."""
    METAINFO = dict(dataset_name='CUHK-PEDES')
    ANNOTATIONS = ('reid_raw.json', )
    FIRST_ID, RELABEL, GLOBAL_IDS = 1, False, True


@DATASETS.register_module()
class ICFGPEDESDataset(CaptionedPersons):
    """ICFG-PEDES: ``imgs/`` and ``ICFG-PEDES.json``, ids of each split from
    0."""
    METAINFO = dict(dataset_name='ICFG-PEDES')
    ANNOTATIONS = ('ICFG-PEDES.json', 'ICFG_PEDES.json')
    RELABEL = False


@DATASETS.register_module()
class RSTPReidDataset(CaptionedPersons):
    """RSTPReid: ``imgs/`` and ``data_captions.json``.

    Its ids are relabelled: whether those to train have gaps is not published.
    """
    METAINFO = dict(dataset_name='RSTPReid')
    ANNOTATIONS = ('data_captions.json', )
