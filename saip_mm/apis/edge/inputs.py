"""What a config says of the pictures that its network takes."""
from typing import List, Optional, Sequence

from mmengine.config import Config

from saip_mm.weights.encoder_facts import crop_size, steps_of
from .parts import Size

PERSON = (256, 128)  # height and width of a person, where nothing says it
# get what OpenCV reads
BGR = ('DetDataPreprocessor', 'SegDataPreProcessor', 'PoseDataPreprocessor')
CLASSIFIER = (None, 'ClsDataPreprocessor', 'MultiModalDataPreprocessor')
OPENCV = ('LoadImageFromFile', 'LoadAnnotatedImage')
SQUEEZED = 'the whole picture is brought to this size, bilinearly'


def check_size(size: Sequence[int]) -> Size:
    """Height and width of an input.

    Raises:
        ValueError: If they are not two numbers above zero.
    """
    size = tuple(size)
    if len(size) != 2 or not all(
            isinstance(side, int) and side > 0 for side in size):
        raise ValueError(f'size {size} must be height and width in pixels, '
                         'such as 256 128')
    return size


def config_size(cfg: Config) -> Optional[Size]:
    """Height and width of the pictures of a config's tests, or crops.

    Pictures that keep their proportions are taken to lie: the long side is
    the width. Both are rounded up to what the model pads to.

    Returns:
        tuple[int, int] or None: If the config does not say.
    """
    found = None
    for step in _tests(cfg):
        kind = kind_of_step(step)
        if kind == 'TopdownAffine':
            found = _pair(step['input_size'])[::-1]
        elif kind == 'Resize' and 'scale' in step:
            found = _pair(step['scale'])[::-1]
            if step.get('keep_ratio'):
                found = min(found), max(found)
        elif kind in SIZED and SIZED[kind] in step:
            found = _pair(step[SIZED[kind]])
    if found is None:
        size = crop_size(cfg)
        return size and tuple(size)
    divisor = preprocessor(cfg).get('pad_size_divisor', 1)
    height, width = (-(-side // divisor) * divisor for side in found)
    return height, width


# steps that end in one size, and what it is called there
SIZED = dict(
    Resize='size',
    WholePictureAffine='size',
    ResizePerson='size',
    CenterCrop='crop_size')


def how_fitted(cfg: Config) -> str:
    """How tests bring pictures to the input's size, for the sidecar."""
    found, padding = SQUEEZED, 1.25
    for step in _tests(cfg):
        kind = kind_of_step(step)
        if kind == 'GetBBoxCenterScale':
            padding = step.get('padding', padding)
        elif kind == 'TopdownAffine':
            edges = 'centres of' if step.get('use_udp') else 'edges of'
            found = (f'a person\'s box, {padding} times as large, then '
                     'widened to these proportions, is cut out bilinearly: '
                     f'its edges are {edges} the outermost pixels')
        elif kind == 'WholePictureAffine':
            found = ('the whole picture, its proportions kept, in the middle '
                     'of black')
        elif kind == 'Resize' and step.get('keep_ratio'):
            pad = preprocessor(cfg).get('pad_value', 0)
            found = ('the picture is scaled into this size, its proportions '
                     'kept, normalised, and filled up right and below with '
                     f'{pad}')
    return found


def check_channels(cfg: Config) -> None:
    """Refuse a config that trains on blue, green, red.

    Raises:
        ValueError: If it does.
    """
    given = preprocessor(cfg)
    kind = kind_of_step(given) if given.get('type') else None
    turned = given.get('bgr_to_rgb') or given.get('to_rgb')
    if turned or not given.get('mean'):
        return
    opencv = any(kind_of_step(step) in OPENCV for step in _tests(cfg))
    if kind in BGR or kind in CLASSIFIER and opencv:
        name = 'bgr_to_rgb' if kind in BGR else 'to_rgb'
        raise ValueError(
            f'the config trains on blue, green, red (no {name}): exported '
            'networks take red first')


def kind_of_step(step: dict) -> str:
    """Name of a class without its scope.

    Example:
        >>> kind_of_step(dict(type='mmpose.TopdownAffine'))
        'TopdownAffine'
        >>> kind_of_step(dict(type='torchvision/Resize'))
        'Resize'
    """
    kind = step.get('type', '')
    kind = kind if isinstance(kind, str) else kind.__name__
    return kind.replace('/', '.').split('.')[-1]


def _tests(cfg: Config) -> List[dict]:
    """Steps of the tests' pipeline, however many data sets are around it."""
    loader = cfg.get('test_dataloader') or {}
    return [step for step in steps_of(loader) if step.get('type')]


def _pair(side) -> tuple:
    return (side, side) if isinstance(side, int) else tuple(side)


def preprocessor(cfg: Config) -> dict:
    """Settings of what normalises pictures, where mmengine looks for them."""
    model = cfg.get('model') or {}
    return model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
