import contextlib
import io
import logging
import os.path as osp
import random
from typing import Dict, List, Optional, Tuple

from mmdet.datasets import CocoDataset
from mmdet.datasets.api_wrappers import COCO
from mmdet.evaluation import CocoMetric
from mmdet.registry import DATASETS, METRICS
from mmengine.logging import print_log

from .box_checks import load_named
from .categories import NoProposalsMixin, check_classes, name_some, set_colours
from .coco_file import CocoBoxes, read_coco
from .crowdhuman import SAMPLE


@DATASETS.register_module()
class CocoBoxesDataset(NoProposalsMixin, CocoDataset):
    """Boxes of one's own, in COCO's format, with mistakes named.

    mmdet's dataset in what it yields. Besides,

    - classes are numbered as ``metainfo['classes']`` has them; mmdet numbers
      them in the file's order, so that names and numbers may disagree;
    - the file need have no ``area``, ``iscrowd`` or numbers of annotations,
      see ``read_coco``;
    - ``metainfo['ann_file']`` tells the metric what to compare with.

    Args:
        ann_file (str): JSON file, in ``data_root``.
        data_root (str): Folder of the data set; ``~`` is the user's.
        metainfo (dict): ``classes``: names of the categories to be found, in
            the order of the model's; others in the file are left out.
        **kwargs: Arguments of ``mmdet.CocoDataset``.

    Raises:
        FileNotFoundError: If the annotations, or one of the first and 100
            random pictures, are missing.
        ValueError: If the annotations are malformed, see ``read_coco``, or if
            nothing to be found is left to train on.
    """

    METAINFO = dict(classes=('person', ), palette=[(220, 20, 60)])
    LAYOUT = ("set data_prefix=dict(img='...') to the folder of the pictures, "
              'in data_root')

    def __init__(self, ann_file: str, data_root: str = '', **kwargs) -> None:
        super().__init__(
            ann_file=osp.expanduser(ann_file),
            data_root=osp.expanduser(data_root or ''),
            **kwargs)
        self._metainfo['ann_file'] = self.ann_file
        set_colours(self._metainfo)

    def load_data_list(self) -> List[dict]:
        """Parse the annotations; counts of what is odd go to the log."""
        classes = check_classes(self.metainfo['classes'], self.ann_file)
        boxes = self._read(classes)
        for note in boxes.notes:
            print_log(note, 'current', logging.WARNING)
        self._check_sample(boxes.images)
        self.cat_ids = list(range(len(classes)))
        instances = {image['id']: [] for image in boxes.images}
        for ann in boxes.annotations:
            instances[ann['image_id']].append(self._instance(ann))
        return [
            dict(
                img_id=image['id'],
                img_path=osp.join(self.data_prefix['img'], image['file_name']),
                height=image['height'],
                width=image['width'],
                instances=instances[image['id']],
                size_file=self.ann_file,
                size_is_label=True) for image in boxes.images
        ]

    def _read(self, classes: Tuple[str, ...]) -> CocoBoxes:
        return read_coco(self.ann_file, classes)

    def _instance(self, ann: dict) -> dict:
        x, y, w, h = ann['bbox']
        return dict(
            bbox=[x, y, x + w, y + h],
            bbox_label=ann['category_id'],
            ignore_flag=ann['iscrowd'])

    def _check_sample(self, images: List[dict]) -> None:
        drawn = random.Random(0).sample(images, min(SAMPLE, len(images)))
        for image in images[:1] + drawn:
            path = osp.join(self.data_prefix['img'], image['file_name'])
            if not osp.isfile(path):
                raise FileNotFoundError(
                    f'{path} (image {image["id"]} of {self.ann_file}) does '
                    f'not exist: {self.LAYOUT}')

    def prepare_data(self, idx: int) -> dict:
        """Load a picture."""
        return load_named(self.pipeline, self.get_data_info(idx))

    def filter_data(self) -> List[dict]:
        """Leave out, in training, pictures without a box and small ones, if
        ``filter_cfg`` says so (``filter_empty_gt``, ``min_size``)."""
        if self.test_mode:
            return self.data_list
        rule = self.filter_cfg or {}
        shown = [
            sample for sample in self.data_list
            if any(not box['ignore_flag'] for box in sample['instances'])
        ]
        if not shown:
            raise ValueError(
                f'{self.ann_file}: nothing to train on, as none of its '
                f'{len(self.data_list)} pictures has a box of '
                f'{name_some(self.metainfo["classes"])} that is no crowd')
        kept = shown if rule.get('filter_empty_gt') else self.data_list
        kept = [
            sample for sample in kept
            if min(sample['height'], sample['width']) >= rule.get(
                'min_size', 0)
        ]
        if not kept:
            raise ValueError(f'{self.ann_file}: all pictures have a side '
                             f'below min_size={rule["min_size"]}')
        dropped = len(self.data_list) - len(kept)
        if dropped:
            print_log(
                f'{self.ann_file}: {dropped} of {len(self.data_list)} '
                'pictures show nothing to be found, or are too small, and are '
                'left out', 'current')
        return kept


@METRICS.register_module()
class CocoBoxesMetric(CocoMetric):
    """COCO's AP of boxes for :class:`CocoBoxesDataset`.

    mmdet's metric on what the data set reads: the same boxes, and classes in
    the order of the config.

    Args:
        ann_file (str, optional): JSON file. Defaults to None: the data set's,
            by its ``metainfo['ann_file']``.
        **kwargs: Arguments of ``mmdet.CocoMetric``. In the files that
            ``outfile_prefix`` asks for, categories have the numbers of
            ``ann_file``.

    Raises:
        ValueError: If the data set to be evaluated has no box of a class,
            before anything is trained; if pictures have no result.
    """

    def __init__(self, ann_file: Optional[str] = None, **kwargs) -> None:
        super().__init__(ann_file=None, **kwargs)
        self.ann_file = osp.expanduser(ann_file) if ann_file else None

    @property
    def dataset_meta(self) -> Optional[dict]:
        """Meta information of the data set: ``classes``, ``ann_file``."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        self._dataset_meta = meta
        path = self.ann_file or meta['ann_file']
        classes = check_classes(meta['classes'], path)
        boxes = read_coco(path, classes)
        if not self.format_only and all(a['iscrowd']
                                        for a in boxes.annotations):
            raise ValueError(f'{path}: nothing to evaluate: none of its '
                             f'{len(boxes.images)} pictures has a box of '
                             f'{name_some(classes)} that is no crowd')
        self._coco_api = _index(boxes, classes)
        # in ascending order, as COCO's code sorts them
        self.cat_ids = list(range(len(classes)))
        self.category_ids = boxes.category_ids
        self.img_ids = [image['id'] for image in boxes.images]

    def compute_metrics(self, results: list) -> Dict[str, float]:
        """Score all pictures of the file; see the parent."""
        seen = {result['img_id'] for _, result in results}
        missing = [name for name in self.img_ids if name not in seen]
        if missing and not self.format_only:
            raise ValueError(
                f'{len(missing)} of {len(self.img_ids)} pictures of '
                f'{self.ann_file or self._dataset_meta["ann_file"]} have no '
                f'result, first {missing[0]} (indices= set? another ann_file '
                'than the data set?)')
        if not self.format_only and not any(
                len(result['scores']) for _, result in results):
            print_log('Nothing was detected in any picture: AP 0', 'current',
                      logging.WARNING)
            return {
                f'{metric}_{item}': 0.
                for metric in self.metrics
                for item in self.metric_items or ('mAP', 'mAP_50', 'mAP_75')
            }
        scores = super().compute_metrics(results)
        if self.outfile_prefix is not None:
            self.cat_ids, own = self.category_ids, self.cat_ids
            self.results2json([result for _, result in results],
                              self.outfile_prefix)
            self.cat_ids = own
        return scores


def _index(boxes: CocoBoxes, classes: tuple) -> COCO:
    """COCO's index of what was read, without its prints."""
    api = COCO()
    api.dataset = dict(
        images=boxes.images,
        annotations=boxes.annotations,
        categories=[dict(id=i, name=name) for i, name in enumerate(classes)])
    with contextlib.redirect_stdout(io.StringIO()):
        api.createIndex()
    api.img_ann_map, api.cat_img_map = api.imgToAnns, api.catToImgs
    return api
