"""ImageNet's classifiers of the zoo, as the backbones that it says they are.

Which layout a file has, and whether it is whole, :mod:`.convert` tells.
"""
from .architecture import MAPS, VIT
from .convert import convert_backbone

# rows of the zoo: what the converted file must be, to the last argument
EXPECTED = dict(
    vit_tiny=dict(
        type=VIT,
        arch='deit-tiny',
        img_size=(224, 224),
        patch_size=16,
        out_type='featmap'),
    starnet_s3=dict(type=MAPS, model_name='starnet_s3'),
    tinyvit_5m=dict(type=MAPS, model_name='tiny_vit_5m_224'))
# ImageNet's, in 0-255, with which all of them were trained
INPUT = dict(
    channels='RGB',
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375])


def convert_third_party(checkpoint: dict, backbone: str, source: str) -> dict:
    """Turn a published ImageNet classifier into a backbone of ours.

    Args:
        checkpoint (dict): As the file has it.
        backbone (str): ``'vit_tiny'``, ``'starnet_s3'`` or ``'tinyvit_5m'``.
        source (str): What to call the file in errors.

    Returns:
        dict: ``state_dict`` without prefix, for the backbones of
        ``configs/_base_/backbones``, and ``meta`` as
        :func:`~.publish.publish_backbone` writes it; no tensor is copied.

    Raises:
        ValueError: If the backbone is unknown, the file is of another, or
            keys or shapes are not exactly its; names them.
    """
    if backbone not in EXPECTED:
        raise ValueError(f"backbone '{backbone}' is unknown: use one of "
                         f'{", ".join(EXPECTED)}')
    try:
        found = convert_backbone(checkpoint)
    except ValueError as error:
        raise ValueError(f'{source} is no {backbone}: {error}') from error
    wanted = EXPECTED[backbone]
    other = {
        key: found.model.get(key)
        for key in {
            **wanted,
            **found.model
        } if found.model.get(key) != wanted.get(key)
    }
    if other:
        raise ValueError(
            f'{source} is no {backbone} as ImageNet classifiers are: it has '
            f'{other}. Another file lies at that address; saip-mm convert '
            'makes a backbone of it')
    converted = found.checkpoint()
    converted['meta'].setdefault('input', dict(INPUT))
    return converted
