"""What of a model goes into an ONNX file: its tensors' part, by task.

What follows it (decoding heat maps, suppressing boxes, ranking) is the
caller's, and each file's sidecar says what that is. Models are told by the
names of their classes, so that no task's library is imported here.
"""
from typing import Callable, Dict, List, NamedTuple, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saip_mm.models.backbones import GridVisionTransformer

Size = Tuple[int, int]
BATCH = 2  # torch.export takes a side of 1 for a constant
IMAGES = 'normalised pictures'


class Part(NamedTuple):
    """One ONNX file of a model.

    Attributes:
        suffix (str): Behind the file's stem; '' for the only or first one.
        network (nn.Module): Takes the inputs in order, in eval mode.
        inputs (dict[str, Tensor]): Examples by name.
        meanings (dict[str, str]): Of inputs and outputs; the outputs' names
            in their order.
        caller (str): What to do with the outputs.
        notes (dict): Further entries of the sidecar, plain values.
    """
    suffix: str
    network: nn.Module
    inputs: Dict[str, Tensor]
    meanings: Dict[str, str]
    caller: str
    notes: dict = {}

    @property
    def outputs(self) -> List[str]:
        """Names of what the network returns."""
        return [name for name in self.meanings if name not in self.inputs]


class Calls(nn.Module):
    """A function of a model and tensors as a module.

    Args:
        model (nn.Module): Whose weights are used.
        function (Callable): Takes the model, then the inputs.
    """

    def __init__(self, model: nn.Module, function: Callable) -> None:
        super().__init__()
        self.model = model
        self.function = function

    def forward(self, *inputs: Tensor):
        """What the function returns."""
        return self.function(self.model, *inputs)


def example(size: Size, batch: int = BATCH) -> Tensor:
    """Normalised pictures ``(batch, 3, H, W)`` of noise, the same each
    time."""
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, 3, *size, generator=generator)


def fold_positions(model: nn.Module, size: Size) -> None:
    """Resize the positions of plain transformers once, for one input size.

    Args:
        model (nn.Module): Changed in place, and at home in this size then.
        size (tuple[int, int]): Height and width, multiples of the patch.

    Raises:
        ValueError: If a patch does not divide them.
    """
    for module in model.modules():
        if not isinstance(module, GridVisionTransformer):
            continue
        patch = module.patch_embed.projection.stride
        if size[0] % patch[0] or size[1] % patch[1]:
            raise ValueError(
                f'size {size[0]}x{size[1]} is no multiple of the '
                f'{patch[0]}x{patch[1]} patch: choose another --size')
        grid = size[0] // patch[0], size[1] // patch[1]
        table = module.resize_pos_embed(module.pos_embed.detach(),
                                        tuple(module.patch_resolution), grid,
                                        module.interpolate_mode,
                                        module.num_extra_tokens)
        module.pos_embed = nn.Parameter(table, requires_grad=False)
        module.patch_resolution = grid
        module.pos_grid = torch.tensor(grid)


# what each kind of model is exported as


def backbone_parts(model: nn.Module, size: Size) -> List[Part]:
    """Image token and maps of a backbone."""
    images = example(size)
    if isinstance(model, GridVisionTransformer):
        function = _tokens_and_map
        shapes = [(size[0] // 16, size[1] // 16)]
    else:
        function = _mean_and_maps
        with torch.no_grad():
            shapes = [x.shape[-2:] for x in model(images[:1])]
    names = [f'map_{n + 1}' for n in range(len(shapes))]
    meanings = dict(
        images=IMAGES,
        image='one vector a picture: the class token after the last norm, or '
        'the mean of the last map')
    for name, shape in zip(names, shapes):
        meanings[name] = f'map of stride {round(size[0] / shape[0])}'
    return [
        Part(
            '', Calls(model, function), dict(images=images), meanings,
            'features as they are; cosine similarity of image compares '
            'pictures')
    ]


def _tokens_and_map(backbone: nn.Module, images: Tensor):
    tokens = backbone.forward_tokens(images, tokens=('image', 'final'))
    cells = tokens.final.transpose(1, 2).unflatten(2, tokens.grid)
    image = tokens.final.mean(1) if tokens.image is None else tokens.image
    return image, cells


def _mean_and_maps(backbone: nn.Module, images: Tensor):
    maps = backbone(images)
    return (maps[-1].mean((2, 3)), *maps)


def tracker_part(model: nn.Module, size: Size) -> List[Part]:
    """One vector of norm 1 a picture, and nothing else, of any model that
    has such a vector."""
    kind = kind_of(model)
    if kind not in (reid_parts, backbone_parts):
        raise ValueError(
            f'{type(model).__name__} has no vector that compares persons: '
            'trackers take a backbone or a model of person search')
    parts = kind(model, size)[0]
    network = parts.network
    if kind is backbone_parts:
        network = Calls(network, _first_normalised)
    return [
        Part('', network, parts.inputs,
             dict(images=IMAGES, features='(batch, D) of norm 1'),
             'compare persons by the dot product, which is the cosine')
    ]


def _first_normalised(network: nn.Module, images: Tensor) -> Tensor:
    return F.normalize(network(images)[0])


def reid_parts(model: nn.Module, size: Size) -> List[Part]:
    """The vector of person search, of norm 1."""
    if getattr(model, 'camera', None) is not None:
        raise ValueError(
            'model.sie adds what is known of the training cameras to each '
            'picture, which an exported network cannot ask for: train '
            'without model.sie')
    return [
        Part('', Calls(model, _reid), dict(images=example(size)),
             dict(images=IMAGES, features='(batch, D) of norm 1'),
             'compare persons by the dot product, which is the cosine')
    ]


def _reid(model: nn.Module, images: Tensor) -> Tensor:
    return model.head(model.extract_feat(images))


def attribute_parts(model: nn.Module, size: Size) -> List[Part]:
    """Probabilities of attributes."""
    if not any(cls.__name__ == 'MultiLabelClsHead'
               for cls in type(model.head).__mro__):
        raise ValueError(
            f'{type(model.head).__name__} is no head of attributes: of '
            'classifiers those with several labels a picture are exported')
    thr = model.head.thr
    return [
        Part('', Calls(model, _attributes), dict(images=example(size)),
             dict(images=IMAGES, scores='probabilities of attributes'),
             f'an attribute is there where its score is above {thr}')
    ]


def _attributes(model: nn.Module, images: Tensor) -> Tensor:
    return model.head(model.extract_feat(images)).sigmoid()


def pose_parts(model: nn.Module, size: Size) -> List[Part]:
    """Heat maps of key points."""
    return [
        Part(
            '', Calls(model, _pose), dict(images=example(size)),
            dict(images=IMAGES, heatmaps='one a key point, at stride 4'),
            'the place of the largest value of each heat map, times '
            '(W - 1) / (w - 1) and (H - 1) / (h - 1), is the key point in '
            'the crop; that value is its score. Refining it below a cell, '
            'averaging with the mirror image and going back from the crop '
            "to the picture are the caller's")
    ]


def _pose(model: nn.Module, images: Tensor) -> Tensor:
    return model.head(model.extract_feat(images))


def segmentation_parts(model: nn.Module, size: Size) -> List[Part]:
    """Logits of parts in the input's size."""
    return [
        Part(
            '', Calls(model, _segment), dict(images=example(size)),
            dict(images=IMAGES, logits='of each part, a pixel'),
            'the part of a pixel is the argmax over the second side; resize '
            "it to the picture's own size by nearest neighbour")
    ]


def _segment(model: nn.Module, images: Tensor) -> Tensor:
    logits = model.decode_head(model.extract_feat(images))
    return F.interpolate(
        logits,
        size=images.shape[2:],
        mode='bilinear',
        align_corners=model.align_corners)


def caption_parts(model: nn.Module, size: Size) -> List[Part]:
    """The two halves of search by text."""
    words = model.tokenizer
    ids = torch.zeros(BATCH, words.context_length, dtype=torch.long)
    ids[:, 0], ids[0, 1], ids[1, 4] = words.start, words.end, words.end
    compare = ('compare with vectors of the other half by the dot product, '
               'which is the cosine')
    vector = '(batch, D) of norm 1'
    return [
        Part('image', Calls(model,
                            _picture_vector), dict(images=example(size)),
             dict(images=IMAGES, features=vector), compare),
        Part(
            'text', Calls(model, _sentence_vector), dict(ids=ids),
            dict(
                ids='numbers of pieces of words: start, sentence, end, then '
                'zeros',
                features=vector), compare,
            dict(
                tokenizer=dict(
                    name='CLIP byte pairs, saip_mm CaptionTokenizer',
                    vocab_size=words.vocab_size,
                    context_length=words.context_length,
                    mask=words.mask,
                    start=words.start,
                    end=words.end)))
    ]


def _picture_vector(model: nn.Module, images: Tensor) -> Tensor:
    return F.normalize(model.encode_images(images)[:, 0])


def _sentence_vector(model: nn.Module, ids: Tensor) -> Tensor:
    return F.normalize(model.encode_ids(ids))


def detector_parts(model: nn.Module, size: Size) -> List[Part]:
    """See :mod:`.regions`, which needs torchvision's operators."""
    from .regions import region_parts
    return region_parts(model, size)


KINDS: Dict[str, Callable[[nn.Module, Size], List[Part]]] = dict(
    GridVisionTransformer=backbone_parts,
    StrideMapBackbone=backbone_parts,
    TransReID=reid_parts,
    IRRA=caption_parts,
    ImageClassifier=attribute_parts,
    TopdownPoseEstimator=pose_parts,
    EncoderDecoder=segmentation_parts,
    TwoStageDetector=detector_parts)


def kind_of(model: nn.Module) -> Callable[[nn.Module, Size], List[Part]]:
    """What exports a model.

    Raises:
        ValueError: If nothing does; names what can be exported.
    """
    for cls in type(model).__mro__:
        if cls.__name__ in KINDS:
            return KINDS[cls.__name__]
    raise ValueError(f'{type(model).__name__} cannot be exported: what can '
                     f'are {", ".join(KINDS)} and their subclasses')


def parts_of(model: nn.Module,
             size: Size,
             tracker: bool = False) -> List[Part]:
    """The ONNX files that a model becomes.

    Args:
        model (nn.Module): A task's model or a backbone; put into eval mode,
            its positions folded.
        size (tuple[int, int]): Height and width of the input.
        tracker (bool): One vector alone. Defaults to False.

    Raises:
        ValueError: If it cannot be exported, or not at this size.
    """
    kind = kind_of(model)
    model.train(False)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    fold_positions(model, size)
    return tracker_part(model, size) if tracker else kind(model, size)
