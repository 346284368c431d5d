"""Writing safetensors, the same bytes for the same content."""
import json

from .finite import check_finite
from .read import META, meta_of, weights_of


def safetensors_bytes(checkpoint: dict) -> bytes:
    """A checkpoint's weights and ``meta`` as a safetensors file.

    Args:
        checkpoint (dict): ``state_dict`` and ``meta``; the latter is kept as
            JSON, so tuples come back as lists.

    Returns:
        bytes: Its content; :func:`.read.read_checkpoint` gives both back.

    Raises:
        NonFiniteWeightsError: If a weight is NaN or infinite.
        ImportError: If the library ``safetensors`` is missing.
    """
    try:
        from safetensors.torch import save
    except ImportError as error:
        raise ImportError(
            'to write .safetensors, install the library '
            "safetensors: pip install 'saip_mm[export]'") from error
    check_finite(checkpoint, 'the weights to be written')
    weights = {
        key: value.detach().clone().contiguous()
        for key, value in weights_of(checkpoint).items()
    }
    meta = {META: json.dumps(meta_of(checkpoint), sort_keys=True)}
    return _settled(save(weights, dict(meta, format='pt')))


def _settled(content: bytes) -> bytes:
    """With the notes in one order: the library's is drawn by chance."""
    length = int.from_bytes(content[:8], 'little')
    header = json.loads(content[8:8 + length])
    notes = header.pop('__metadata__')
    header = dict(__metadata__=dict(sorted(notes.items())), **header)
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)  # tensors begin at a multiple of 8
    return len(text).to_bytes(8, 'little') + text + content[8 + length:]
