from collections import defaultdict
from typing import Dict, List, Optional, Union

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from torch import Tensor, nn

from mmpretrain.registry import MODELS
from ...engine.finite import check_finite_losses
from ..encoder import EncoderOutput, PersonEncoder
from ..experts import ExpertOutput
from ..preprocessor import Views


def encode_views(encoder: PersonEncoder, images: Dict[str, Tensor],
                 tokens: Dict[str, str]) -> Dict[str, EncoderOutput]:
    """Encode views, those of one size and one wish in one forward.

    Args:
        encoder (PersonEncoder): The encoder.
        images (dict[str, Tensor]): ``(B, 3, h, w)`` by view name.
        tokens (dict[str, str]): 'both', 'image' or 'patch' by view name;
            views not named are left out.

    Returns:
        dict[str, EncoderOutput]: By view name.
    """
    groups = defaultdict(list)
    for name, wish in tokens.items():
        groups[(tuple(images[name].shape[-2:]), wish)].append(name)
    outputs = {}
    for (_, wish), names in groups.items():
        out = encoder(torch.cat([images[n] for n in names]), tokens=wish)
        parts = [(None, ) * len(names) if t is None else t.chunk(len(names))
                 for t in out[:2]]
        for name, image, patches in zip(names, *parts):
            outputs[name] = EncoderOutput(image, patches, out.grid)
    return outputs


@MODELS.register_module()
class SAIP(BaseModel):
    """Scale-Aware Image Pretraining.

    Routes views through the image encoder (student) and the expert and hands
    tokens to the heads; each head owns its decoder, target and weight.

    Args:
        encoder (dict): Config of ``PersonEncoder``.
        heads (dict[str, dict]): Of 'csm', 'csr', 'css'; an objective is
            switched off by leaving its head out (or setting it to None).
        expert (dict): ``EmaExpert`` (SAIP, default) or ``FrozenExpert``
            (SAIP*).
        data_preprocessor (dict, optional): ``PersonViewPreprocessor``.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If no head is left, or one is unknown.

    Source:
        Paper 3.1 and 3.2, Eq. 4: the losses are summed.
    """

    def __init__(self,
                 encoder: dict,
                 heads: Dict[str, Optional[dict]],
                 expert: Optional[dict] = None,
                 data_preprocessor: Optional[dict] = None,
                 init_cfg: Optional[dict] = None) -> None:
        # built here: BaseModel would look it up in mmengine's own registry
        super().__init__(
            data_preprocessor=MODELS.build(
                dict(type='PersonViewPreprocessor')
                | dict(data_preprocessor or {})),
            init_cfg=init_cfg)
        heads = {name: cfg for name, cfg in heads.items() if cfg}
        if not heads or set(heads) - {'csm', 'csr', 'css'}:
            raise ValueError(f"heads must be some of 'csm', 'csr', 'css', got "
                             f'{sorted(heads)}')
        self.encoder = MODELS.build(encoder)
        self.expert = MODELS.build(expert or dict(type='EmaExpert'))
        dims = dict(
            student_dims=self.encoder.dims,
            expert_dims=self.expert.dims_for(self.encoder))
        self.heads = nn.ModuleDict({
            name: MODELS.build(cfg, default_args=dims)
            for name, cfg in heads.items()
        })
        self._restrict_to_heads()
        decoder = heads.get('csm') and self.heads['csm'].decoder
        self.expert.follow(self.encoder, decoder)

    def _restrict_to_heads(self) -> None:
        """Leave out the views, layers and canvas no objective asks for."""
        wishes = {head.needs['student'] for head in self.heads.values()}
        tokens = wishes.pop() if len(wishes) == 1 else 'both'
        if tokens != 'both':
            frozen = self.encoder.freeze_unreached(tokens)
            print_log(
                f'objectives {sorted(self.heads)} read {tokens} tokens only: '
                f'{frozen} parameters of the encoder beyond them are frozen',
                'current')
        kinds = {'anchor', 'scale'}
        if 'csm' in self.heads:
            kinds.add('local')
        if hasattr(self.data_preprocessor, 'restrict'):
            self.data_preprocessor.restrict(kinds, 'css' in self.heads)

    def init_weights(self) -> None:
        """Initialise the student; the expert starts equal to it."""
        super().init_weights()
        if self.expert.trainable_average:
            self.expert.update(self, momentum=0.)

    def _dump_init_info(self) -> None:
        """A line instead of mmengine's list of every parameter."""
        trained = sum(p.numel() for p in self.parameters() if p.requires_grad)
        backbone = sum(p.numel() for p in self.encoder.backbone.parameters())
        print_log(
            f'initialised: {trained / 1e6:.2f} M trainable parameters, '
            f'{backbone / 1e6:.2f} M in the backbone', 'current')

    def forward(self,
                views: Union[Views, Tensor],
                mode: str = 'tensor') -> Union[dict, Tensor]:
        """Compute losses, or the image tokens of plain images.

        Args:
            views (Views | Tensor): The preprocessor's views for 'loss';
                normalised images ``(B, 3, H, W)`` for 'tensor'.
            mode (str): 'loss' or 'tensor'.

        Returns:
            dict[str, Tensor] | Tensor: Losses, or image tokens ``(B, D)``.
        """
        if mode == 'loss':
            return self.loss(views)
        if mode == 'tensor':
            return self.encoder.extract(views)
        raise ValueError(f"mode '{mode}' is unknown: use 'loss' or 'tensor'")

    def loss(self, views: Views) -> Dict[str, Tensor]:
        """Run student, expert and heads on one batch of views."""
        self._check_views(views)
        # the expert keeps nothing: before the student fills the memory
        expert = self.encode_expert(views)
        student = self.encode_student(views)
        losses = {}
        for head in self.heads.values():
            losses.update(head.loss(student, expert, views))
        return losses

    def parse_losses(self, losses: Dict[str, Tensor]) -> tuple:
        """Sum the losses, after a look that every term is finite.

        Raises:
            NonFiniteError: Before the optimiser could spread the damage.
        """
        check_finite_losses(losses)
        return super().parse_losses(losses)

    def _check_views(self, views: Views) -> None:
        if not views.scales and set(self.heads) & {'csr', 'css'}:
            raise ValueError(
                'reconstruction and search need at least one multi-resolution '
                'view: set num_scales >= 1 in PersonCrops, or leave the csr '
                'and css heads out')

    def encode_student(self, views: Views) -> Dict[str, EncoderOutput]:
        """Student tokens by view name, as the heads request them."""
        wishes = defaultdict(set)
        for head in self.heads.values():
            for name in head.student_requests(views):
                wishes[name].add(head.needs['student'])
        tokens = {
            name: wish.pop() if len(wish) == 1 else 'both'
            for name, wish in wishes.items()
        }
        return encode_views(self.encoder, views.images, tokens)

    @torch.no_grad()
    def encode_expert(self, views: Views) -> ExpertOutput:
        """Expert tokens: unmasked views, one masked view, the canvas."""
        # monitors leave its encoder in plain eval mode
        self.expert.train(self.training)
        encoder = self.expert.encoder
        requests: List[str] = []
        for head in self.heads.values():
            requests += head.expert_requests(views)
        out = ExpertOutput(self.expert.project)
        out.tokens = encode_views(encoder, views.images,
                                  dict.fromkeys(requests, 'image'))
        if 'csr' in self.heads:
            out.masked_name, out.mask = self.heads['csr'].draw_masked(views)
            out.masked = encoder(
                views.images[out.masked_name], out.mask, tokens='patch')
        if 'css' in self.heads:
            out.canvas = encoder(views.canvas, tokens='patch')
        return out
