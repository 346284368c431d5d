from typing import Tuple

from mmdet.registry import DATASETS

from saip_mm.datasets.fashion_taxonomy import ATTRIBUTE_IDS, CATEGORIES
from ..detection.categories import get_colours
from ..detection.coco_boxes import CocoBoxesDataset
from .fashion_file import read_fashion

HUMAN = 'human'  # the category that no file has, always the last


@DATASETS.register_module()
class FashionpediaDataset(CocoBoxesDataset):
    """Garments and garment parts with outlines and attributes.

    :class:`CocoBoxesDataset` in what it yields, and of each instance

    - ``mask``: polygons or run lengths;
    - ``attributes``: places of its attributes among the 294, sorted;
    - ``annotation_id``: the number of its annotation, for errors.

    What has an outline that shows nothing is ignored, as crowds are.

    ``metainfo['classes']`` are the model's 47 categories: the file's 46, and
    ``human``, which ``LoadFashionAnnotations`` adds in training.
    ``metainfo['attributes']`` are names by place, ``attribute_ids`` ids.

    Args:
        ann_file (str): ``instances_attributes_train2020.json`` say, in
            ``data_root``.
        data_root (str): Folder of the data set; ``~`` is the user's.
        **kwargs: Arguments of ``mmdet.CocoDataset``.

    Raises:
        FileNotFoundError: If the annotations, or one of the first and 100
            random pictures, are missing.
        ValueError: If the annotations are malformed or of another taxonomy,
            see ``read_fashion``; if other classes are asked for; if nothing
            is left to train on.
    """

    METAINFO = dict(
        classes=(*(term.name for term in CATEGORIES), HUMAN),
        palette=get_colours(len(CATEGORIES) + 1),
        attribute_ids=ATTRIBUTE_IDS.tolist())
    LAYOUT = ('training pictures are in train/, val and test pictures live '
              "in one folder, data_prefix=dict(img='test/'), both in "
              'data_root')

    def _read(self, classes: Tuple[str, ...]):
        if classes != self.METAINFO['classes']:
            raise ValueError(
                f'{self.ann_file}: metainfo.classes cannot be chosen: they '
                'are the 46 categories of the taxonomy and human. Leave them '
                'out')
        found = read_fashion(self.ann_file)
        self._metainfo['attributes'] = found.attributes
        return found

    def _instance(self, ann: dict) -> dict:
        return dict(
            super()._instance(ann),
            ignore_flag=int(ann['iscrowd'] or ann['empty']),
            mask=ann['segmentation'],
            attributes=ann['attributes'],
            annotation_id=ann['file_id'])
