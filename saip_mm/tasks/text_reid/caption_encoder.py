"""CLIP's text half: tokens of a sentence in the space shared with pictures."""
import logging
from typing import Optional

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.models.utils.clip_generator_helper import (
    LayerNorm, ResidualAttentionBlock)
from mmpretrain.registry import MODELS
from saip_mm.weights import (check_weights, listed_keys, peek_checkpoint,
                             weights_of)
from .clip_keys import text_weights

REMEDY = ("OpenAI's ViT-B/16 is a program: save its weights alone, "
          'torch.save(model.state_dict(), FILE), where it was opened; '
          "transformers' model.safetensors is read as it is. Width, layers, "
          'vocab_size and context_length must be those of the file')


def start_blocks(blocks: nn.ModuleList, layers: int) -> None:
    """Start residual attention blocks as CLIP does.

    Args:
        blocks (nn.ModuleList): ``ResidualAttentionBlock``, of one width w.
        layers (int): How many; the matrices which end a residual branch have
            a deviation of ``w**-0.5 * (2 * layers)**-0.5``.
    """
    for block in blocks:
        width = block.attn.embed_dim
        narrow = width**-0.5 * (2 * layers)**-0.5
        nn.init.normal_(block.attn.in_proj_weight, std=width**-0.5)
        nn.init.normal_(block.attn.out_proj.weight, std=narrow)
        nn.init.normal_(block.mlp.c_fc.weight, std=(2 * width)**-0.5)
        nn.init.normal_(block.mlp.c_proj.weight, std=narrow)


@MODELS.register_module()
class CaptionEncoder(BaseModule):
    """The text half of CLIP, which gives every token.

    Pre-norm blocks with a causal mask, so that the end of a sentence has seen
    all of it. Names of parameters are OpenAI's. 63 M parameters by default,
    ten times the backbones here.

    Args:
        vocab_size (int): Ids of the tokenizer. Defaults to 49408.
        context_length (int): Longest sequence. Defaults to 77.
        width (int): Of the blocks. Defaults to 512.
        layers (int): Blocks. Defaults to 12.
        heads (int): Of attention. Defaults to 8.
        out_channels (int): D, of the shared space. Defaults to 512.
        init_cfg (dict, optional): ``dict(type='Pretrained', checkpoint=FILE)``
            with CLIP's weights, see :func:`text_weights`; without a file a
            random start, and a warning. Defaults to None.

    Source:
        ViT-B/16's of OpenAI's CLIP (Radford et al. 2021).
    """

    def __init__(self,
                 vocab_size: int = 49408,
                 context_length: int = 77,
                 width: int = 512,
                 layers: int = 12,
                 heads: int = 8,
                 out_channels: int = 512,
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.token_embedding = nn.Embedding(vocab_size, width)
        self.positional_embedding = nn.Parameter(
            torch.empty(context_length, width))
        causal = torch.full((context_length, context_length),
                            float('-inf')).triu(1)
        self.transformer = nn.Module()
        self.transformer.resblocks = nn.ModuleList(
            ResidualAttentionBlock(width, heads, causal)
            for _ in range(layers))
        self.ln_final = LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, out_channels))
        self.out_channels = out_channels
        self._start()

    def _start(self) -> None:
        width = self.text_projection.shape[0]
        blocks = self.transformer.resblocks
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.positional_embedding, std=0.01)
        start_blocks(blocks, len(blocks))
        nn.init.normal_(self.text_projection, std=width**-0.5)

    def init_weights(self) -> None:
        """Load the file that ``init_cfg`` names, if any.

        Raises:
            FileNotFoundError, ValueError: If it cannot be read, or is of
                another model.
        """
        if self.is_init:
            return
        self._is_init = True
        path = (self.init_cfg or {}).get('checkpoint')
        if not path:
            print_log(
                'the text tower starts from random weights, for which the '
                'public sets are small: give CLIP\'s by model.text.init_cfg.'
                'checkpoint=FILE', 'current', logging.WARNING)
            return
        content = peek_checkpoint(path)
        weights = text_weights(weights_of(content))
        check_weights(
            self, weights, path, file_keys=listed_keys(content), remedy=REMEDY)
        self.load_state_dict(weights)
        print_log(f'text tower: {len(weights)} tensors of {path}', 'current')

    def forward(self, ids: Tensor) -> Tensor:
        """Encode sentences.

        Args:
            ids (Tensor): ``(B, L)`` int64 of the tokenizer, L the context
                length.

        Returns:
            Tensor: ``(B, L, D)``.
        """
        x = self.token_embedding(ids) + self.positional_embedding
        x = x.transpose(0, 1)  # the blocks want (L, B, width)
        for block in self.transformer.resblocks:
            x = block(x)
        return self.ln_final(x).transpose(0, 1) @ self.text_projection


def sentence_vectors(tokens: Tensor, ids: Tensor) -> Tensor:
    """The token at each sentence's end, which has the largest id.

    Args:
        tokens (Tensor): ``(B, L, D)``.
        ids (Tensor): ``(B, L)`` int64.

    Returns:
        Tensor: ``(B, D)``.
    """
    # not len(ids), which torch.export would make a constant
    rows = torch.arange(ids.shape[0], device=ids.device)
    return tokens[rows, ids.argmax(1)]
