"""What IRRA learns from: each head an objective, left out by None."""
from functools import partial
from typing import Dict

import torch.nn.functional as F
from mmengine.dist import all_reduce
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmpretrain.models.utils.clip_generator_helper import (
    LayerNorm, QuickGELU, ResidualAttentionBlock)
from mmpretrain.registry import MODELS
from .caption_encoder import start_blocks
from .losses import contrastive_loss, distribution_loss, projection_loss
from .pairs import Pairs, gathered


@MODELS.register_module()
class PairMatchingHead(BaseModule):
    """Pictures and sentences of one person are to be alike.

    Over the batches of all processes together.

    Args:
        loss (str): 'sdm', 'itc' or 'cmpm', see :func:`distribution_loss`,
            :func:`contrastive_loss`, :func:`projection_loss`. Defaults to
            'sdm'.
        temperature (float): Of 'sdm' and 'itc'. Defaults to 0.02.
        weight (float): Of the loss. Defaults to 1.0.

    Raises:
        ValueError: If there is no such loss.
    """

    LOSSES = ('sdm', 'itc', 'cmpm')

    def __init__(self,
                 loss: str = 'sdm',
                 temperature: float = 0.02,
                 weight: float = 1.0) -> None:
        super().__init__()
        if loss not in self.LOSSES:
            raise ValueError(f"loss '{loss}' is unknown: use one of "
                             f'{self.LOSSES}')
        self.name, self.weight = loss, weight
        scaled = dict(temperature=temperature)
        self.function = dict(
            sdm=partial(distribution_loss, **scaled),
            itc=lambda v, t, _: contrastive_loss(v, t, **scaled),
            cmpm=projection_loss)[loss]

    def loss(self, pairs: Pairs) -> Dict[str, Tensor]:
        """``loss_sdm``, or of the other's name."""
        value = self.function(
            gathered(pairs.images[:, 0]), gathered(pairs.sentences),
            gathered(pairs.persons))
        return {f'loss_{self.name}': self.weight * value}


@MODELS.register_module()
class PersonClassHead(BaseModule):
    """One linear classifier of persons for pictures and sentences.

    Args:
        num_classes (int): Persons of the training set.
        in_channels (int): D. Defaults to 512.
        weight (float): Of the loss. Defaults to 1.0.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int = 512,
                 weight: float = 1.0) -> None:
        super().__init__()
        self.num_classes, self.weight = num_classes, weight
        self.classifier = nn.Linear(in_channels, num_classes)
        nn.init.normal_(self.classifier.weight, std=0.001)
        nn.init.zeros_(self.classifier.bias)

    def loss(self, pairs: Pairs) -> Dict[str, Tensor]:
        """``loss_id``, and the shares told right, ``acc_image`` and
        ``acc_text``."""
        persons = pairs.persons
        logits = [
            self.classifier(vectors).float()
            for vectors in (pairs.images[:, 0], pairs.sentences)
        ]
        losses = [F.cross_entropy(scores, persons) for scores in logits]
        right = [(scores.argmax(1) == persons).float().mean()
                 for scores in logits]
        return dict(
            loss_id=self.weight * sum(losses) / 2,
            acc_image=right[0],
            acc_text=right[1])


@MODELS.register_module()
class HiddenWordHead(BaseModule):
    """Tell hidden words from the rest of the sentence and the picture.

    Tokens of the sentence look at those of the picture, then at each other,
    pads too. Only hidden words go through the last layers.

    Args:
        vocab_size (int): Ids of the tokenizer. Defaults to 49408.
        channels (int): D. Defaults to 512.
        layers (int): Blocks of the sentence. Defaults to 4.
        heads (int): Of attention. Defaults to 8.
        weight (float): Of the loss. Defaults to 1.0.

    Source:
        IRR of IRRA. Names of parameters are such that the rules of its
        optimiser find them ('cross', 'mlm_head').
    """

    def __init__(self,
                 vocab_size: int = 49408,
                 channels: int = 512,
                 layers: int = 4,
                 heads: int = 8,
                 weight: float = 1.0) -> None:
        super().__init__()
        self.weight = weight
        self.cross_attn = nn.MultiheadAttention(
            channels, heads, batch_first=True)
        self.cross_modal_transformer = nn.ModuleList(
            ResidualAttentionBlock(channels, heads) for _ in range(layers))
        self.ln_pre_t = LayerNorm(channels)
        self.ln_pre_i = LayerNorm(channels)
        self.ln_post = LayerNorm(channels)
        self.mlm_head = nn.Sequential(
            nn.Linear(channels, channels), QuickGELU(), LayerNorm(channels),
            nn.Linear(channels, vocab_size))
        self._start(channels, layers)

    def _start(self, width: int, layers: int) -> None:
        narrow = width**-0.5 * (2 * layers)**-0.5
        nn.init.normal_(self.cross_attn.in_proj_weight, std=width**-0.5)
        nn.init.normal_(self.cross_attn.out_proj.weight, std=narrow)
        start_blocks(self.cross_modal_transformer, layers)
        nn.init.normal_(self.mlm_head[0].weight, std=(2 * width)**-0.5)
        nn.init.normal_(self.mlm_head[3].weight, std=narrow)

    def forward(self, captions: Tensor, images: Tensor) -> Tensor:
        """Let sentences look at pictures.

        Args:
            captions (Tensor): ``(B, T, D)``.
            images (Tensor): ``(B, 1 + L, D)``.

        Returns:
            Tensor: ``(B, T, D)``.
        """
        keys = self.ln_pre_i(images)
        x = self.cross_attn(
            self.ln_pre_t(captions), keys, keys, need_weights=False)[0]
        x = x.transpose(0, 1)  # the blocks want (T, B, D)
        for block in self.cross_modal_transformer:
            x = block(x)
        return self.ln_post(x.transpose(0, 1))

    def loss(self, pairs: Pairs) -> Dict[str, Tensor]:
        """``loss_irr``, mean over the hidden words of all processes, and
        ``acc_word``, the share told right."""
        chosen = pairs.words > 0
        tokens = self(pairs.masked, pairs.images)[chosen]
        logits, words = self.mlm_head(tokens).float(), pairs.words[chosen]
        total = F.cross_entropy(logits, words, reduction='sum')
        count = chosen.sum().float()
        count = chosen.sum().float()
        right = (logits.argmax(1) == words).sum() / count.clamp(min=1)
        all_reduce(count, op='mean')  # DDP takes the mean of the gradients
        # without any word the loss is 0
        total = total / (count + (count == 0))
        return dict(loss_irr=self.weight * total, acc_word=right)
