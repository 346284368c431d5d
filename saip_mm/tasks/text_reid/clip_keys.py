"""Names of CLIP's text half in other files, and here."""
import re
from collections import OrderedDict
from typing import Dict

import torch
from torch import Tensor

# parameters that are no module's, and beginnings of the others
OWN = ('token_embedding.', 'positional_embedding', 'transformer.resblocks.',
       'ln_final.', 'text_projection')
# of transformers' CLIPTextModelWithProjection and CLIPModel
RENAMED = (
    (r'embeddings\.token_embedding\.weight', r'token_embedding.weight'),
    (r'embeddings\.position_embedding\.weight', r'positional_embedding'),
    (r'encoder\.layers\.(\d+)\.self_attn\.out_proj\.(\w+)',
     r'transformer.resblocks.\1.attn.out_proj.\2'),
    (r'encoder\.layers\.(\d+)\.layer_norm([12])\.(\w+)',
     r'transformer.resblocks.\1.ln_\2.\3'),
    (r'encoder\.layers\.(\d+)\.mlp\.fc1\.(\w+)',
     r'transformer.resblocks.\1.mlp.c_fc.\2'),
    (r'encoder\.layers\.(\d+)\.mlp\.fc2\.(\w+)',
     r'transformer.resblocks.\1.mlp.c_proj.\2'),
    (r'final_layer_norm\.(\w+)', r'ln_final.\1'),
)
ATTENTION = re.compile(r'encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.'
                       r'(weight|bias)$')
TEXT = 'text_model.'


def text_weights(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """The text half of CLIP's weights, under OpenAI's names, in float32.

    Args:
        weights (dict[str, Tensor]): Those of OpenAI's CLIP, of a model that
            holds it under a prefix, of transformers' ``CLIPModel`` or
            ``CLIPTextModelWithProjection``, or of :class:`CaptionEncoder`.

    Returns:
        dict[str, Tensor]: Without what is of the pictures; empty if there is
        no text half.
    """
    if any(key.startswith(TEXT) for key in weights):
        weights = _from_transformers(weights)
    prefix = _prefix(weights)
    return OrderedDict(
        (key[len(prefix):], value.float()) for key, value in weights.items()
        if key.startswith(prefix) and key[len(prefix):].startswith(OWN))


def _prefix(weights: Dict[str, Tensor]) -> str:
    """What stands before the names, such as ``text.``."""
    name = 'positional_embedding'
    found = [
        key[:-len(name)] for key in weights
        if key == name or key.endswith('.' + name)
    ]
    # CLIP's pictures have positions of that name too
    found = [prefix for prefix in found if not prefix.endswith('visual.')]
    return min(found, key=len) if found else ''


def _from_transformers(weights: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Three projections become one, the last matrix is turned."""
    renamed, parts = OrderedDict(), {}
    for key, value in weights.items():
        if key == 'text_projection.weight':
            renamed['text_projection'] = value.T
        name = key[len(TEXT):] if key.startswith(TEXT) else ''
        match = ATTENTION.match(name)
        if match:
            place = (f'transformer.resblocks.{match[1]}.attn.in_proj_'
                     f'{match[3]}')
            parts.setdefault(place, {})[match[2]] = value
            continue
        for pattern, new in RENAMED:
            if re.fullmatch(pattern, name):
                renamed[re.sub(pattern, new, name)] = value
    for place, three in parts.items():
        if len(three) == 3:
            renamed[place] = torch.cat([three[which] for which in 'qkv'])
    return renamed
