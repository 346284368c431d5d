import numpy as np
from mmengine.fileio import get
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS

from saip_mm.datasets.transforms.label_image import label_size, read_label
from .label_set import IGNORED

NUM_CLASSES = 20  # LIP's, where the data set does not tell
PATCH = 16  # pixels, of the vision transformer


@TRANSFORMS.register_module()
class LoadPartLabels(LoadAnnotations):
    """mmseg's ``LoadAnnotations`` for part labels, which it checks.

    Where the picture was resized before, as in tests, the label stays at
    its own size. A palette is no matter: the class numbers are read, of 1
    to 32 bits. How many classes there are the data set says, in
    ``num_labels`` (what files may hold; of LIP 20, also where a selection of
    them is trained) and ``labels_of`` (whose they are, for errors). A sample
    without ``seg_map_path``, as in inference, is handed on.

    Raises:
        ValueError: While loading, naming the file: if it is no single
            channel of class numbers (see :func:`read_label`), holds a class
            the data set does not have, or has another size than the
            picture; if the picture is smaller than a patch.
    """

    def transform(self, results: dict) -> dict:
        if 'seg_map_path' not in results:
            return results
        return super().transform(results)

    def _load_seg_map(self, results: dict) -> None:
        path = results['seg_map_path']
        content = get(path, backend_args=self.backend_args)
        check_sizes(results, label_size(content, path))
        label = read_label(content, path)
        check_classes(label, path, results.get('num_labels', NUM_CLASSES),
                      results.get('labels_of', 'LIP'))
        results['gt_seg_map'] = renumber(label, results.get('label_map'))
        results['seg_fields'].append('gt_seg_map')


def renumber(label: np.ndarray, label_map=None) -> np.ndarray:
    """Class numbers of a selection.

    Args:
        label (np.ndarray): ``(H, W)`` integers, 0-255.
        label_map (dict[int, int], optional): New by old number; others
            stay. None changes nothing.

    Returns:
        np.ndarray: ``(H, W)`` uint8.
    """
    if label_map is None:
        return label.astype(np.uint8)
    table = np.arange(IGNORED + 1, dtype=np.uint8)
    for old, new in label_map.items():
        table[old] = new
    return table[label]


def check_sizes(results: dict, sides: tuple) -> None:
    """Refuse a label of another size than its picture, or tiny pictures.

    Args:
        results (dict): With ``ori_shape`` and paths.
        sides (tuple[int, int]): Height and width of the label.
    """
    path, own = results['seg_map_path'], tuple(results['ori_shape'][:2])
    if min(own) < PATCH:
        raise ValueError(
            f'{results.get("img_path", path)} has {own[0]}x{own[1]} '
            f'pixels, less than a {PATCH}x{PATCH} patch: leave it out')
    if sides != own:
        turned = (': is the picture turned by EXIF? LoadPartImage turns it '
                  'as its label'
                  if sides == own[::-1] else ': are they of the same picture?')
        raise ValueError(f'{path} has {sides[0]}x{sides[1]} pixels, its '
                         f'picture {own[0]}x{own[1]} (height x width){turned}')


def check_classes(label: np.ndarray,
                  path: str,
                  num_classes: int = NUM_CLASSES,
                  name: str = 'LIP') -> None:
    """Refuse class numbers that the data set does not have.

    Args:
        label (np.ndarray): ``(H, W)`` integers.
        path (str): Its file, for the error.
        num_classes (int): K. Defaults to LIP's 20.
        name (str): What has K classes, for the error.

    Raises:
        ValueError: If a value is neither 0 to K - 1 nor 255.
    """
    if 0 <= label.min() <= label.max() < num_classes:  # most labels
        return
    foreign = label[((label < 0) | (label >= num_classes))
                    & (label != IGNORED)]
    if foreign.size:
        raise ValueError(
            f'{path} holds class {int(foreign.min())}; {name} has '
            f'0-{num_classes - 1} and {IGNORED} (ignored)')
