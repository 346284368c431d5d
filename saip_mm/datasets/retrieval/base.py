"""Labelled persons: a picture, who is on it, which camera took it."""
import math
import os.path as osp
from typing import Any, Callable, Iterator, List, Optional, Sequence, Union

from mmengine.logging import print_log

from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS
from ..seeded import seeded_draws
from ..transforms import BrokenImageError, PackPerson

SPLITS = ('train', 'query', 'gallery')
JUNK = -1
LISTS = ('.json', '.yaml', '.yml')
PIPELINE = (dict(type='DecodeImage'), dict(type='ResizePerson'),
            dict(type='PackPerson'))


@DATASETS.register_module()
class PersonRetrievalDataset(BaseDataset):
    """One split of a set of persons, for search by identity.

    An entry of ``data_list`` has ``img_path`` (str), ``pid`` (int, the
    identity as the set numbers it), ``camid`` (int, counted from 0), and
    whatever else its reader gives. Added here are ``gt_label``, for 'train'
    the place of ``pid`` among the sorted identities, 0 to ``num_ids - 1``,
    for the other splits ``pid``; and ``is_query`` (bool). Labels and
    ``metainfo`` are those of the whole split, whatever ``indices`` leaves.

    A sample is ``dict(inputs=tensor (3, h, w), data_samples=DataSample)``,
    see :class:`PackPerson`. It is never replaced by another one: a picture
    that cannot be read stops the run.

    Junk (``pid`` -1) is left out everywhere; of ``DISTRACTOR``, where a set
    has such an identity, only the gallery may hold pictures.

    ``metainfo`` has ``num_ids`` and ``num_cams``, both counted, once the
    list is loaded.

    With a sampler whose numbers tell the epoch (``ResumableSampler``, also
    behind :class:`IdentityBatchSampler`), what transforms draw follows from
    seed, epoch and picture alone.

    A reader overrides ``load_data_list`` and says in ``METAINFO`` the
    ``dataset_name``, in ``MAX_PID``, ``NUM_CAMS`` and ``DISTRACTOR`` what
    may occur. Without a reader the list is a file of OpenMMLab's form,
    ``dict(metainfo={}, data_list=[dict(img_path, pid, camid), ...])``.

    Args:
        data_root (str): Folder of the set. Defaults to ''.
        split (str): 'train', 'query' or 'gallery'. Defaults to 'train'.
        pipeline (Sequence): Transforms (configs or callables) of a dict with
            the entry's keys and ``sample_idx``. What comes out without
            ``data_samples`` goes through ``PackPerson()``, so that lists
            which end in :class:`ResizePerson` do. Defaults to decoding,
            resizing to 256x128 and packing.
        max_pid (int, optional): Largest identity allowed. Defaults to None,
            that of the set.
        num_cams (int, optional): Cameras allowed. Defaults to None, those of
            the set.
        ann_file (str): List of the split, for sets without a reader.
            Defaults to ''.
        **kwargs: Of mmpretrain's ``BaseDataset``.

    Raises:
        ValueError: If the split is unknown, a number is missing or out of
            range, or no picture is left.

    Example:
        >>> class TwoCameras(PersonRetrievalDataset):
        ...     METAINFO = dict(dataset_name='two cameras')
        ...     NUM_CAMS = 2
        ...
        ...     def load_data_list(self):
        ...         return [dict(img_path=f'{cam}/{pid}.jpg', pid=pid,
        ...                      camid=cam)
        ...                 for pid in (3, 8) for cam in (0, 1)]
        >>> persons = TwoCameras(split='train')
        >>> {k: v for k, v in persons.get_data_info(2).items()
        ...  if k != 'sample_idx'}
        {'img_path': '0/8.jpg', 'pid': 8, 'camid': 0, 'gt_label': 1,
        'is_query': False}
    """

    SPLITS = SPLITS
    MAX_PID: Optional[int] = None
    NUM_CAMS: Optional[int] = None
    DISTRACTOR: Optional[int] = None
    seed: Optional[int] = None  # of draws; ResumableSampler gives its own

    def __init__(self,
                 data_root: str = '',
                 split: str = 'train',
                 pipeline: Sequence[Union[dict, Callable]] = PIPELINE,
                 max_pid: Optional[int] = None,
                 num_cams: Optional[int] = None,
                 ann_file: str = '',
                 **kwargs) -> None:
        if split not in self.SPLITS:
            raise ValueError(f'split must be one of {sorted(self.SPLITS)}, '
                             f"got '{split}'")
        self.split = split
        self.max_pid = self.MAX_PID if max_pid is None else max_pid
        self.num_cams = self.NUM_CAMS if num_cams is None else num_cams
        self.pack = PackPerson()
        super().__init__(
            ann_file,
            data_root=osp.expanduser(data_root),
            pipeline=pipeline,
            **kwargs)

    def __getitem__(self, index: int) -> Any:
        """A sample; ``epoch * len(self) + index`` where draws are seeded."""
        if self.seed is None:
            return super().__getitem__(index)
        epoch, index = divmod(int(index), len(self))
        with seeded_draws(self.seed, max(epoch, 0), index):
            return super().__getitem__(index)

    def __iter__(self) -> Iterator[Any]:
        # without it Python would count up through epoch after epoch
        return (self[index] for index in range(len(self)))

    def load_data_list(self) -> List[dict]:
        """Read ``ann_file``; a reader overrides this.

        Returns:
            list[dict]: ``img_path``, ``pid`` and ``camid``, junk included,
            and whatever else the set knows.
        """
        if not self.ann_file:
            raise ValueError(
                f'{type(self).__name__} has no reader of its own: set '
                'ann_file, or take a data set that has one, such as '
                'MarketDataset')
        if not self.ann_file.endswith(LISTS):
            raise ValueError(
                f"ann_file '{self.ann_file}' must be one of {LISTS}: a pickle "
                'could run code when opened, and is not read')
        return super().load_data_list()

    def filter_data(self) -> List[dict]:
        """Leave out junk; check, count and label what is left."""
        kept = [info for info in self.data_list if info.get('pid') != JUNK]
        junk = len(self.data_list) - len(kept)
        if not kept:
            raise ValueError(
                f"'{self.data_root}' holds no usable images for split "
                f"'{self.split}' ({len(self.data_list)} files, {junk} junk)")
        for info in kept:
            self._check(info)
        pids = sorted({info['pid'] for info in kept})
        cams = {info['camid'] for info in kept}
        labels = {pid: label for label, pid in enumerate(pids)}
        for info in kept:
            pid = info['pid']
            info['gt_label'] = labels[pid] if self.split == 'train' else pid
            info['is_query'] = self.split == 'query'
        self._metainfo.update(num_ids=len(pids), num_cams=len(cams))
        name = self._metainfo.get('dataset_name', type(self).__name__)
        print_log(
            f'{name} {self.split}: '
            f'{len(kept)} images, {len(pids)} identities, {len(cams)} '
            f'cameras; {junk} junk detections left out',
            logger='current')
        return kept

    def _check(self, info: dict) -> None:
        """Refuse an entry whose numbers cannot be."""
        path = info.get('img_path')
        for key in ('pid', 'camid'):
            if not isinstance(info.get(key), int):
                raise ValueError(f"'{path}': {key} must be an integer, got "
                                 f'{info.get(key)!r}')
        pid, cam = info['pid'], info['camid'] + 1
        last_pid, last_cam = (
            math.inf if limit is None else limit
            for limit in (self.max_pid, self.num_cams))
        if not 0 <= pid <= last_pid:
            raise ValueError(f"identity {pid} in '{path}' is outside "
                             f'0..{last_pid}; own data: set max_pid')
        if not 1 <= cam <= last_cam:
            raise ValueError(
                f"camera {cam} (counted from 1) in '{path}' is outside "
                f'1..{last_cam}; own data: set num_cams')
        if pid == self.DISTRACTOR and self.split != 'gallery':
            raise ValueError(f"'{path}' has identity {pid}, a distractor, "
                             'which only the gallery may hold')

    def prepare_data(self, idx: int) -> Any:
        """A sample, or an error that names its file."""
        info = self.get_data_info(idx)
        path = info['img_path']
        try:
            results = self.pipeline(info)
        except BrokenImageError as error:
            # A labelled image is never replaced: scores would be of others.
            raise OSError(f"cannot decode '{path}': {error}") from error
        if results is None:  # mmengine would draw another one
            raise ValueError(
                f"the pipeline gave nothing for '{path}', and a labelled "
                'image is never replaced: leave out what drops images, such '
                'as LoadImageFromFile(ignore_empty=True)')
        return results if 'data_samples' in results else self.pack(results)

    def extra_repr(self) -> List[str]:
        """Split, root and, once loaded, what is in it."""
        facts = dict(
            Split=self.split,
            Root=self.data_root,
            Identities=self._metainfo.get('num_ids', 'not loaded'),
            Cameras=self._metainfo.get('num_cams', 'not loaded'))
        return [f'{name}: \t{value}' for name, value in facts.items()]
