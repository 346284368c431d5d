"""Heat maps of key points as an ONNX file, and how a caller reads them."""
from typing import List

import torch
from torch import Tensor, nn

from .parts import IMAGES, Calls, Part, Size, example, is_a

# what of a codec a caller needs
SETTINGS = ('input_size', 'heatmap_size', 'sigma', 'unbiased',
            'blur_kernel_size')

# where a cell lies, by codec: H, W of the input, h, w of the map
DECODING = dict(
    UDPHeatmap='x / ({3} - 1), y / ({2} - 1) of the way across the crop, '
    'whose outermost pixels have their centres on its edges',
    MSRAHeatmap='the point x * {1} / {3}, y * {0} / {2} of the input')


def pose_parts(model: nn.Module, size: Size) -> List[Part]:
    """Heat maps of key points.

    Raises:
        ValueError: If the head gives other things, or this size no maps of
            its proportions.
    """
    head = model.head
    if not is_a(head, 'HeatmapHead') or not is_a(head.decoder, *DECODING):
        raise ValueError(
            f'{type(head).__name__} with {type(head.decoder).__name__}: of '
            'pose networks those with a HeatmapHead and one of '
            f'{", ".join(DECODING)} are exported')
    if getattr(head.decoder, 'heatmap_type', 'gaussian') != 'gaussian':
        raise ValueError("heatmap_type 'combined' is three maps a key point, "
                         "which is not exported: train with 'gaussian'")
    network = Calls(model, _heatmaps)
    with torch.no_grad():
        height, width = network(example(size, 1)).shape[2:]
    if size[0] * width != size[1] * height:
        raise ValueError(
            f'size {size[0]}x{size[1]} gives heat maps of {height}x{width}, '
            'which cover more than the picture: choose a --size of multiples '
            'of 32')
    name = next(name for name in DECODING if is_a(head.decoder, name))
    codec = {
        key: getattr(head.decoder, key)
        for key in SETTINGS if hasattr(head.decoder, key)
    }
    codec.update(input_size=[size[1], size[0]], heatmap_size=[width, height])
    return [
        Part(
            '', network, dict(images=example(size)),
            dict(
                images=IMAGES,
                heatmaps=f'one a key point, of stride {size[0] // height}'),
            f'the place x, y of the largest value of each heat map is '
            f'{DECODING[name].format(*size, height, width)}; that value is '
            'its score. Refining it below a cell, averaging with the mirror '
            'image (flip_indices: where its key points are) and going back '
            "from the crop to the picture are the caller's",
            dict(codec=dict(type=name, **codec)))
    ]


def _heatmaps(model: nn.Module, images: Tensor) -> Tensor:
    return model.head(model.extract_feat(images))
