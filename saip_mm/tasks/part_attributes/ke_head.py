import logging
import os.path as osp
from functools import partial
from typing import Iterator, NamedTuple, Optional

import torch
import torch.nn.functional as F
from mmcv.cnn import ConvModule
from mmdet.models.task_modules.coders import DeltaXYWHBBoxCoder
from mmdet.registry import MODELS
from mmengine.logging import print_log
from mmengine.model import BaseModule
from torch import Tensor, nn

from .attention import AttentionLayer
from .knowledge import TOOL, read_knowledge

# objects at a time in tests, where 100 may be found: the attention of one
# takes up to 13 MB a layer
TOGETHER = 32


class Garments(NamedTuple):
    """Objects whose attributes are asked for.

    Attributes:
        features (Tensor): ``(N, C, h, w)`` RoI features of the objects.
        humans (Tensor): ``(P, C, H, W)`` RoI features of their wearers.
        wearer (Tensor): ``(N, )`` int64, whose row of ``humans`` wears it.
        boxes (Tensor): ``(N, 4)`` x1, y1, x2, y2 of the objects.
        human_boxes (Tensor): ``(P, 4)``, in the same pixels.
        scores (Tensor): ``(N, K + ...)`` probabilities of the box head's
            classes, the K categories first.
        labels (Tensor): ``(N, )`` int64 categories in [0, K).
    """
    features: Tensor
    humans: Tensor
    wearer: Tensor
    boxes: Tensor
    human_boxes: Tensor
    scores: Tensor
    labels: Tensor

    def split(self, size: int) -> Iterator['Garments']:
        """At most ``size`` objects at a time, with all wearers."""
        own = ('features', 'wearer', 'boxes', 'scores', 'labels')
        for parts in zip(*(getattr(self, name).split(size) for name in own)):
            yield self._replace(**dict(zip(own, parts)))


class VisualContext(nn.Module):
    """What is seen of a garment, and of its wearer from there.

    Half of the channels are looked at by a convolution; the other half, place
    by place, looks at the wearer.

    Args:
        channels (int): C of the RoI features, even.
        dims (int): Width of the tokens.
        num_heads (int): Of the attention. Defaults to 8.
        dropout (float): Defaults to 0.1.
        groups (int): Of the group norms. Defaults to 4.
    """

    def __init__(self,
                 channels: int,
                 dims: int,
                 num_heads: int = 8,
                 dropout: float = 0.1,
                 groups: int = 4) -> None:
        super().__init__()
        half = channels // 2
        norm = dict(type='GN', num_groups=groups)
        self.own = ConvModule(half, half, 3, padding=1, norm_cfg=norm)
        self.human = ConvModule(channels, half, 1, norm_cfg=norm)
        self.layers = nn.ModuleList(
            AttentionLayer(half, half, num_heads, dropout) for _ in range(2))
        self.project = nn.Conv2d(channels, dims, 1)

    def forward(self, features: Tensor, humans: Tensor,
                wearer: Tensor) -> Tensor:
        """Tokens ``(N, h * w, dims)``; see :class:`Garments`."""
        own, asking = features.chunk(2, 1)
        seen = as_tokens(self.human(humans))[wearer]
        queries = as_tokens(asking)
        for layer in self.layers:
            queries = layer(queries, seen)
        context = queries.transpose(1, 2).reshape(asking.shape)
        return as_tokens(self.project(torch.cat([self.own(own), context], 1)))


@MODELS.register_module()
class KEHead(BaseModule):
    """KE-RCNN's attribute branch: which attributes a garment has.

    Implicit knowledge is what is seen of the garment, of its wearer, and
    where on the wearer it sits; explicit knowledge is how often categories
    have attributes, which weighs the box head's class weights. One query for
    each attribute that the category can have looks at both.

    Args:
        num_categories (int): K, without human. Defaults to 46.
        num_attributes (int): A. Defaults to 294.
        in_channels (int): Of the RoI features. Defaults to 256.
        class_channels (int): Inputs of the box head's class layer. Defaults
            to 1024.
        dims (int): Width of the tokens. Defaults to 256.
        hidden_dims (int): Inside the feed-forward parts. Defaults to 512.
        num_heads (int): Of all attention. Defaults to 8.
        dropout (float): Defaults to 0.1.
        knowledge (str, optional): ``.npy`` file of the ``(K, A)`` matrix,
            see ``write_knowledge``. It is a buffer, and saved in checkpoints:
            without the file it is zero until one is loaded. Defaults to None.
        loss (dict): Of logits and 0 or 1. Defaults to binary cross entropy,
            weight 5.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If the matrix is of another shape, negative or not finite.
        RuntimeError: At the first forward, if there is no knowledge.

    Source:
        Wang et al., "KE-RCNN: Unifying Knowledge based Reasoning into
        Part-level Attribute Parsing", and its authors' code.
    """

    def __init__(self,
                 num_categories: int = 46,
                 num_attributes: int = 294,
                 in_channels: int = 256,
                 class_channels: int = 1024,
                 dims: int = 256,
                 hidden_dims: int = 512,
                 num_heads: int = 8,
                 dropout: float = 0.1,
                 knowledge: Optional[str] = None,
                 loss: dict = dict(
                     type='CrossEntropyLoss',
                     use_sigmoid=True,
                     loss_weight=5.0),
                 init_cfg: Optional[dict] = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.num_categories = num_categories
        self.num_attributes = num_attributes
        self.file = osp.expanduser(knowledge) if knowledge else None
        self.register_buffer('knowledge', self._read_knowledge())
        self.visual = VisualContext(in_channels, dims, num_heads, dropout)
        self.geometry = nn.Linear(4, dims)
        self.class_project = nn.Sequential(
            nn.Linear(class_channels, dims), nn.ReLU(), nn.Linear(dims, dims))
        self.embedding = nn.Embedding(num_attributes, dims)
        self.query = nn.Sequential(
            nn.Linear(dims, dims), nn.LayerNorm(dims), nn.ReLU(),
            nn.Linear(dims, dims), nn.LayerNorm(dims))
        layer = partial(AttentionLayer, dims, hidden_dims, num_heads, dropout)
        self.mix = nn.ModuleList([layer(), layer()])
        self.ask = nn.ModuleList([layer(), layer()])
        self.loss_attribute = MODELS.build(loss)

    def _read_knowledge(self) -> Tensor:
        shape = (self.num_categories, self.num_attributes)
        if self.file is None:
            return torch.zeros(shape)
        if not osp.isfile(self.file):
            print_log(
                f'{self.file} does not exist: attributes can be predicted '
                'with a checkpoint alone, which holds it; for training make '
                f'it with {TOOL}', 'current', logging.WARNING)
            return torch.zeros(shape)
        return torch.from_numpy(read_knowledge(self.file, shape))

    def forward(self, garments: Garments, class_weights: Tensor) -> Tensor:
        """Ask for all attributes of all objects.

        Args:
            garments (Garments): N objects.
            class_weights (Tensor): ``(K + ..., class_channels)``, of the box
                head's class layer.

        Returns:
            Tensor: ``(N, A)`` logits.
        """
        if not self.knowledge.any():
            raise RuntimeError(
                'knowledge matrix is all zero: pass knowledge=... '
                f'({self.file or "none is given"}; {TOOL} makes it) or load a '
                'checkpoint that holds it')
        size = len(garments.labels)
        if not torch.is_grad_enabled():
            size = min(size, TOGETHER)
        return torch.cat(
            [self._ask(some, class_weights) for some in garments.split(size)])

    def _ask(self, garments: Garments, class_weights: Tensor) -> Tensor:
        """See :meth:`forward`."""
        queries = self.attribute_queries(garments.labels)
        tokens = torch.cat([
            self.visual(garments.features, garments.humans, garments.wearer),
            self.knowledge_tokens(garments.scores, class_weights),
            self.geometry(_move(garments))[:, None], queries
        ], 1)  # (N, 49 + A + 1 + A, dims)
        for layer in self.mix:
            tokens = layer(tokens, tokens)
        tokens, queries = tokens.tensor_split([-self.num_attributes], 1)
        for layer in self.ask:
            queries = layer(queries, tokens)
        return (self.embedding.weight * queries).sum(2)

    def attribute_queries(self, labels: Tensor) -> Tensor:
        """A query for each attribute that a category can have, else zeros.

        Args:
            labels (Tensor): ``(N, )`` int64.

        Returns:
            Tensor: ``(N, A, dims)``.
        """
        known = self.knowledge[labels] > 0
        return self.query(self.embedding.weight) * known[..., None]

    def knowledge_tokens(self, scores: Tensor,
                         class_weights: Tensor) -> Tensor:
        """What the likely categories know of each attribute.

        ``sum_c knowledge[c, a] * scores[c] * class_weights[c]`` through two
        linear layers. The first is applied to the class weights before the
        sum, which gives the same at a quarter of the memory.

        Args:
            scores (Tensor): ``(N, K + ...)`` probabilities; no gradient.
            class_weights (Tensor): ``(K + ..., class_channels)``; no
                gradient.

        Returns:
            Tensor: ``(N, A, dims)``.
        """
        count = self.num_categories
        first, *rest = self.class_project
        weights = F.linear(class_weights[:count].detach(), first.weight)
        shares = scores[:, None, :count].detach() * self.knowledge.T
        tokens = shares @ weights  # (N, A, K) and (K, dims)
        tokens = tokens + first.bias.to(tokens.dtype)
        for layer in rest:
            tokens = layer(tokens)
        return tokens

    def loss(self, logits: Tensor, attributes: Tensor) -> dict:
        """Compare with the labels.

        Args:
            logits (Tensor): ``(N, A)``.
            attributes (Tensor): ``(N, A)``, 0 or 1.

        Returns:
            dict[str, Tensor]: ``loss_attribute``, the mean over all pairs.
        """
        return dict(loss_attribute=self.loss_attribute(logits, attributes))

    def no_loss(self) -> dict:
        """A zero that needs every parameter, for a batch without objects."""
        return dict(loss_attribute=sum(0 * p.sum() for p in self.parameters()))


def as_tokens(maps: Tensor) -> Tensor:
    """``(N, C, h, w)`` as ``(N, h * w, C)``, row by row."""
    return maps.flatten(2).transpose(1, 2)


@torch.no_grad()
def _move(garments: Garments) -> Tensor:
    """How to move each object's box onto its wearer's: dx, dy, dw, dh.

    A side of less than a pixel counts as one: it would be infinitely far.
    """

    def widen(boxes: Tensor) -> Tensor:
        far = torch.maximum(boxes[:, 2:], boxes[:, :2] + 1)
        return torch.cat([boxes[:, :2], far], 1).float()

    return DeltaXYWHBBoxCoder().encode(
        widen(garments.boxes), widen(garments.human_boxes[garments.wearer]))
