import io

import numpy as np
from mmengine.fileio import get
from mmseg.datasets.transforms import LoadAnnotations
from mmseg.registry import TRANSFORMS
from PIL import Image

IGNORED = 255
NUM_CLASSES = 20
PATCH = 16  # pixels, of the vision transformer


@TRANSFORMS.register_module()
class LoadPartLabels(LoadAnnotations):
    """mmseg's ``LoadAnnotations`` for part labels, which it checks.

    Where the picture was resized before, as in tests, the label stays at
    its own size. A palette is no matter: the class numbers are read.

    Raises:
        ValueError: While loading, naming the file: if the label is a colour
            image, holds a class other than 0-19 and 255, or has another size
            than the picture; if the picture is smaller than a patch.
    """

    def _load_seg_map(self, results: dict) -> None:
        path = results['seg_map_path']
        sides = tuple(results['ori_shape'][:2])
        if min(sides) < PATCH:
            raise ValueError(
                f'{results.get("img_path", path)} has {sides[0]}x{sides[1]} '
                f'pixels, less than a {PATCH}x{PATCH} patch: leave it out')
        content = get(path, backend_args=self.backend_args)
        with Image.open(io.BytesIO(content)) as label:
            label_sides = label.size[::-1]
            mode = label.mode
        if mode not in ('L', 'P'):
            raise ValueError(f'{path} is a colour image (mode {mode}); '
                             'expected class numbers 0-19 of one channel')
        if label_sides != sides:
            raise ValueError(
                f'{path} has {label_sides[0]}x{label_sides[1]} pixels, its '
                f'picture {sides[0]}x{sides[1]} (height x width)')
        super()._load_seg_map(results)
        check_classes(results['gt_seg_map'], path)


def check_classes(label: np.ndarray, path: str) -> None:
    """Refuse class numbers that LIP does not have.

    Args:
        label (np.ndarray): ``(H, W)`` integers.
        path (str): Its file, for the error.

    Raises:
        ValueError: If a value is neither 0-19 nor 255.
    """
    foreign = label[(label >= NUM_CLASSES) & (label != IGNORED)]
    if foreign.size:
        raise ValueError(f'{path} holds class {int(foreign.min())}; LIP has '
                         f'0-{NUM_CLASSES - 1} and {IGNORED}')
