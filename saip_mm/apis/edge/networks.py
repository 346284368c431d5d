"""What of a model goes into an ONNX file: its tensors' part, by task.

What follows it (decoding heat maps, suppressing boxes, ranking) is the
caller's, and each file's sidecar says what that is. Models are told by the
names of their classes, so that no task's library is imported here.
"""
from typing import Callable, Dict, List

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from saip_mm.models.backbones import GridVisionTransformer
from .parts import (BATCH, IMAGES, Calls, Part, Size, example, fold_positions,
                    is_a, stride_of)
from .pose import pose_parts

VECTOR = '(batch, D) of norm 1'
COMPARE = 'compare persons by the dot product, which is the cosine'


def backbone_parts(model: nn.Module, size: Size) -> List[Part]:
    """Image token and maps of a backbone."""
    images = example(size)
    plain = isinstance(model, GridVisionTransformer)
    network = Calls(model, _tokens_and_map if plain else _mean_and_maps)
    with torch.no_grad():
        _, *maps = network(images[:1])
    meanings = dict(
        images=IMAGES,
        image='one vector a picture: the class token after the last norm, or '
        'the mean of the last map')
    for number, x in enumerate(maps, 1):
        meanings[f'map_{number}'] = f'map of stride {stride_of(size, x)}'
    return [
        Part(
            '', network, dict(images=images), meanings,
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
    if kind not in (reid_parts, caption_parts, backbone_parts):
        raise ValueError(
            f'{type(model).__name__} has no vector that compares persons: '
            'trackers take a backbone or a model of person search')
    part = kind(model, size)[0]
    network = part.network
    if kind is backbone_parts:
        network = Calls(network, _first_normalised)
    return [
        Part('', network, part.inputs, dict(images=IMAGES, features=VECTOR),
             COMPARE)
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
        Part('', Calls(model, _head_of_maps), dict(images=example(size)),
             dict(images=IMAGES, features=VECTOR), COMPARE)
    ]


def _head_of_maps(model: nn.Module, images: Tensor) -> Tensor:
    return model.head(model.extract_feat(images))


def attribute_parts(model: nn.Module, size: Size) -> List[Part]:
    """Probabilities of attributes."""
    if not is_a(model.head, 'MultiLabelClsHead'):
        raise ValueError(
            f'{type(model.head).__name__} is no head of attributes: of '
            'classifiers those with several labels a picture are exported')
    thr, best = model.head.thr, model.head.topk
    caller = f'an attribute is there where its score is above {thr}'
    if thr is None:
        caller = f'the {best} attributes of the highest scores are there'
    return [
        Part('', Calls(model, _attributes), dict(images=example(size)),
             dict(images=IMAGES, scores='probabilities of attributes'), caller)
    ]


def _attributes(model: nn.Module, images: Tensor) -> Tensor:
    return _head_of_maps(model, images).sigmoid()


def segmentation_parts(model: nn.Module, size: Size) -> List[Part]:
    """Logits of parts in the input's size."""
    if isinstance(model.decode_head, nn.ModuleList):  # in a cascade
        raise ValueError(f'{type(model).__name__} has several heads in a row: '
                         'of segmentation networks those with one are '
                         'exported')
    caller = ('the part of a pixel is the argmax over the second side; resize '
              "it to the picture's own size by nearest neighbour")
    if model.decode_head.out_channels == 1:
        caller = ('a pixel is of the part where the sigmoid is above '
                  f'{model.decode_head.threshold}; resize that to the '
                  "picture's own size by nearest neighbour")
    if (model.test_cfg or {}).get('mode') == 'slide':
        caller = ('tests see windows of this size, '
                  f'{model.test_cfg.stride} apart (height, width), and '
                  f'average the logits where they overlap; then {caller}')
    return [
        Part('', Calls(model, _segment), dict(images=example(size)),
             dict(images=IMAGES, logits='of each part, a pixel'), caller)
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
    tokenizer = dict(
        name='CLIP byte pairs, saip_mm CaptionTokenizer',
        vocab_size=words.vocab_size,
        context_length=words.context_length,
        mask=words.mask,
        start=words.start,
        end=words.end)
    return [
        Part('image', Calls(model,
                            _picture_vector), dict(images=example(size)),
             dict(images=IMAGES, features=VECTOR), compare),
        Part(
            'text', Calls(model, _sentence_vector), dict(ids=ids),
            dict(
                ids='numbers of pieces of words: start, sentence, end, then '
                'zeros',
                features=VECTOR), compare, dict(tokenizer=tokenizer))
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
