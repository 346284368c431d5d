from mmseg.datasets import LIPDataset
from mmseg.registry import DATASETS

from .parts_dataset import PartsDataset

# classes which a mirror exchanges: arms, legs, shoes of the person
FLIP_PAIRS = ((14, 15), (16, 17), (18, 19))


@DATASETS.register_module()
class LIPPartsDataset(PartsDataset):
    """LIP: 20 classes of a person's pixels, with its mistakes named.

    :class:`PartsDataset` with LIP's names, colours and pairs, whose files
    are looked for in ``data_root`` and, as the published zip files unpack,
    in ``TrainVal_images/`` and ``TrainVal_parsing_annotations/``.

    ``metainfo.classes`` which are all LIP's are a selection: its labels are
    renumbered in their order, other classes ignored, and pairs follow. Any
    other names are a set of one's own, numbered as written.
    """

    METAINFO = dict(LIPDataset.METAINFO, flip_pairs=FLIP_PAIRS)
    LABELS_OF = 'LIP'
    OUTER = dict(
        img_path='TrainVal_images',
        seg_map_path='TrainVal_parsing_annotations')
    LAYOUT = '''LIP lies like this, one nested level as in the zip files \
allowed:
  train_images/<id>.jpg         val_images/         (TrainVal_images.zip)
  train_segmentations/<id>.png  val_segmentations/  \
(TrainVal_parsing_annotations.zip)
  train_id.txt  val_id.txt'''
