import math
from collections import defaultdict
from dataclasses import replace
from typing import Collection, Dict, List, Optional, Sequence, Tuple, Union

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel, ModuleDict
from torch import Tensor

from mmpretrain.registry import MODELS
from ..encoders import Encoder, probe_side
from ..finite import check_finite_losses
from ..preprocessors import VIEW_KINDS, Views
from ..tokens import WISHES, Answer, Mask, Request, Tokens


def encode(encoder: Encoder, images: Dict[str, Tensor],
           requests: Sequence[Request]) -> List[Tokens]:
    """Answer requests, what fits together in one forward.

    Views of one size and of the same kinds of tokens go together. A view that
    several requests name is encoded once, for all they ask of it; one with a
    mask by itself.

    Args:
        encoder (Encoder): The encoder.
        images (dict[str, Tensor]): ``(B, 3, h, w)`` by view name.
        requests (Sequence[Request]): Of one role, masks drawn.

    Returns:
        list[Tokens]: In the order of the requests.
    """
    wishes = defaultdict(set)
    for request in requests:
        wishes[_sight(request)].update(request.tokens)
    groups = defaultdict(list)
    for sight, kinds in wishes.items():
        view, mask, _, condition = sight
        size = tuple(images[view].shape[-2:])
        alone = None if mask is None else view
        groups[size, frozenset(kinds), mask, alone,
               condition is None].append(sight)
    answers = {}
    for (_, kinds, mask, _, plain), sights in groups.items():
        x = torch.cat([
            blanked(images[view], blank, encoder.dims.stride)
            for view, _, blank, _ in sights
        ])
        told = {} if plain else dict(
            condition=torch.cat([condition for *_, condition in sights]))
        out = encoder(x, mask, kinds, **told)
        found = {kind: getattr(out, kind) for kind in WISHES}
        parts = {
            kind: t.chunk(len(sights))
            for kind, t in found.items() if t is not None
        }
        for place, sight in enumerate(sights):
            answers[sight] = out._replace(**{
                kind: chunks[place]
                for kind, chunks in parts.items()
            })
    return [answers[_sight(r)] for r in requests]


def _sight(request: Request) -> tuple:
    """What of a request makes the encoder see something else."""
    return request.view, request.mask, request.blank, request.condition


def blanked(images: Tensor, blank: Optional[Tensor], stride: int) -> Tensor:
    """Show the mean colour, 0, in some cells.

    Args:
        images (Tensor): ``(B, 3, H, W)`` normalised.
        blank (Tensor, optional): ``(B, L)`` bool, the cells row by row.
        stride (int): Pixels a side of a cell.

    Returns:
        Tensor: The images, or a changed copy.
    """
    if blank is None:
        return images
    height, width = images.shape[-2:]
    cells = blank.view(len(images), 1, -(-height // stride), -1)
    cells = cells.repeat_interleave(stride, 2).repeat_interleave(stride, 3)
    return images.masked_fill(cells[..., :height, :width], 0.)


def no_such_view(head: str, view: str, known: Collection[str]) -> ValueError:
    """The error of a head that asks for a view which nobody makes."""
    return ValueError(f"head '{head}' asks for view '{view}', and there is "
                      f'none: known are {", ".join(known)}')


def computed_mask(head: str, request: Request, function: Mask,
                  given: List[Tokens], shape: Tuple[int, int]) -> Tensor:
    """Call the function which is the mask of a request.

    Args:
        head (str): Who asks, by name.
        request (Request): A student's.
        function (Callable): Its ``mask`` or ``blank``.
        given (list[Tokens]): Answers to the expert's requests of the head.
        shape (tuple[int, int]): Images, and cells of each.

    Returns:
        Tensor: ``(B, L)`` bool, True is hidden.

    Raises:
        ValueError: If it returns anything else.
    """
    mask = function(given)
    if (isinstance(mask, Tensor) and mask.dtype == torch.bool
            and mask.shape == shape):
        return mask
    got = type(mask).__name__
    if isinstance(mask, Tensor):
        got = f'{tuple(mask.shape)} of {mask.dtype}'
    raise ValueError(
        f"head '{head}': the function that masks view '{request.view}' must "
        f'return a {shape} bool tensor, True is hidden; it returned {got}')


@MODELS.register_module()
class ViewPretraining(BaseModel):
    """Pretraining of an image encoder on views of unlabelled persons.

    Heads ask for tokens (:class:`Request`), of the image encoder (student)
    and of the expert; this class encodes what they ask for and hands it to
    them. It knows no objective: a method is a set of heads.

    Args:
        encoder (dict): Config of an ``Encoder``.
        heads (dict[str, dict]): One an objective, by a name of one's choice;
            None is left out.
        expert (dict, optional): ``EmaExpert``, the default, or
            ``FrozenExpert``. It is built, a frozen one from its file, so that
            heads know its tokens, and dropped if none asks for them.
        data_preprocessor (dict, optional): ``PersonViewPreprocessor``.
        init_cfg (dict, optional): Initialization config.

    Raises:
        ValueError: If no head is left, none asks the student for anything,
            or one asks for a view or a token that there is not.
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
        if not heads:
            raise ValueError('heads are empty: at least one objective is '
                             'needed')
        self.encoder = MODELS.build(encoder)
        expert = MODELS.build(expert or dict(type='EmaExpert'))
        if hasattr(self.data_preprocessor, 'mean'):
            expert.take_statistics(*self.input_statistics)
        dims = dict(
            student_dims=self.encoder.dims,
            expert_dims=expert.dims_for(self.encoder))
        # before the heads: parameters keep the order of older checkpoints
        self.expert = expert
        # mmengine's: torch's own would pass their init_cfg over
        self.heads = ModuleDict({
            name: MODELS.build(cfg, default_args=dims)
            for name, cfg in heads.items()
        })
        strides = [d.stride for d in dims.values()]
        wishes = self._restrict_to_heads(*strides)
        if hasattr(self.data_preprocessor, 'take_cell'):
            self.data_preprocessor.take_cell(math.lcm(*strides))
        averaged = {name: head.averaged() for name, head in self.heads.items()}
        if 'expert' in wishes or any(averaged.values()):
            self.expert.follow(self.encoder, averaged)
        else:
            self.expert = None

    def _restrict_to_heads(self, *strides: int) -> Dict[str, set]:
        """Leave out the views and layers that no objective asks for.

        Args:
            *strides (int): Of student and expert.

        Returns:
            dict[str, set]: Kinds of tokens by role.
        """
        wishes, kinds = defaultdict(set), set()
        known = getattr(self.data_preprocessor, 'known_kinds', None)
        # a rehearsal, whose draws must not shift those of the training
        with torch.random.fork_rng(devices=[]):
            views = Views.blank(probe_side(*strides), known or VIEW_KINDS)
            for name, head in self.heads.items():
                for request in head.requests(views):
                    kind = request.view.split('_')[0]
                    if known and kind not in known:
                        raise no_such_view(name, request.view, known)
                    wishes[request.role].update(request.tokens)
                    kinds.add(kind)
        if not wishes['student']:
            raise ValueError(
                f'heads {sorted(self.heads)} ask the student for nothing, so '
                "nothing would be trained: a head needs a Request of role "
                "'student'")
        self._freeze_unreached(wishes['student'])
        if hasattr(self.data_preprocessor, 'restrict'):
            self.data_preprocessor.restrict(kinds)
        return wishes

    def _freeze_unreached(self, wanted: Collection[str]) -> None:
        """Freeze what no student's token depends on, and tell."""
        self.untrained = self.encoder.freeze_unreached(wanted)
        if not self.untrained:
            return
        remedy = ''
        if set(wanted) == {'inner'}:
            remedy = (
                ', and stay as they started: encoder.patch_index (ViT) '
                'or encoder.stride (maps) can take the tokens from later '
                'layers')
        print_log(
            f'objectives {sorted(self.heads)} read '
            f'{", ".join(sorted(wanted))} tokens only: {len(self.untrained)} '
            f'tensors of the encoder beyond them are frozen{remedy}',
            'current')

    @property
    def input_statistics(self) -> Tuple[tuple, tuple]:
        """Mean and standard deviation of the views before normalisation, RGB
        in 0-255: the preprocessor's, the only statement of them.

        Raises:
            ValueError: If it has none.
        """
        views = self.data_preprocessor
        if not hasattr(views, 'mean'):
            # no AttributeError: Module.__getattr__ would hide what is missing
            raise ValueError(
                f'{type(views).__name__} says nothing of the input: give it '
                'mean and std, RGB in [0, 1], by which it normalises')
        return tuple(
            tuple(round(255 * v, 6) for v in values)
            for values in (views.mean, views.std))

    def init_weights(self) -> None:
        """Initialise the student; the expert starts equal to it."""
        super().init_weights()
        if self.expert is not None and self.expert.trainable_average:
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
        """Run expert, student and heads on one batch of views."""
        answers = self.answers(views)
        losses = {}
        for name, head in self.heads.items():
            averages = {}
            if self.expert is not None:
                averages = self.expert.averages_of(name)
            own = head.loss(answers[name], views, averages)
            clash = sorted(losses.keys() & own)
            if clash:
                raise ValueError(
                    f"head '{name}' gives {clash}, as another head does, and "
                    'one of them would be lost: leave one head out, or give '
                    "it a class whose losses and 'health/' numbers have names "
                    'of their own')
            losses.update(own)
        return losses

    def parse_losses(self, losses: Dict[str, Tensor]) -> tuple:
        """Sum the losses, after a look that every term is finite.

        Raises:
            NonFiniteError: Before the optimiser could spread the damage.
        """
        check_finite_losses(losses)
        return super().parse_losses(losses)

    def answers(self, views: Views) -> Dict[str, List[Answer]]:
        """What each head asks for, by its name and in its order.

        Raises:
            ValueError: If a view is not there, or the function that is a
                mask returns none.
        """
        asked = {name: h.requests(views) for name, h in self.heads.items()}
        for name, requests in asked.items():
            for request in requests:
                if request.view not in views.images:
                    raise no_such_view(name, request.view, views.images)
        # the expert keeps nothing: before the student fills the memory
        experts = self._answer_expert(views, asked)
        for name, requests in asked.items():
            given = [experts[r] for r in requests if r.role == 'expert']
            asked[name] = [
                self._with_masks(name, r, given, views) for r in requests
            ]
        students = [
            r for requests in asked.values() for r in requests
            if r.role == 'student'
        ]
        tokens = experts | dict(
            zip(students, encode(self.encoder, views.images, students)))
        return {
            name: [Answer(r, tokens[r]) for r in requests]
            for name, requests in asked.items()
        }

    def _with_masks(self, head: str, request: Request, given: List[Tokens],
                    views: Views) -> Request:
        """A request whose masks are tensors."""
        found = {
            kind:
            computed_mask(head, request, function, given,
                          self._cells(views, request.view))
            for kind, function in (('mask', request.mask), ('blank',
                                                            request.blank))
            if callable(function)
        }
        return replace(request, **found) if found else request

    def _cells(self, views: Views, name: str) -> Tuple[int, int]:
        """Images of a view, and the student's cells of each."""
        image, stride = views.images[name], self.encoder.dims.stride
        rows, columns = (-(-side // stride) for side in image.shape[-2:])
        return len(image), rows * columns

    @torch.no_grad()
    def _answer_expert(self, views: Views, asked: Dict[str,
                                                       List[Request]]) -> dict:
        """Tokens by the request that asks the expert."""
        requests = [
            r for some in asked.values() for r in some if r.role == 'expert'
        ]
        if not requests:
            return {}
        # whoever ran its encoder apart may have left it in plain eval mode
        self.expert.train(self.training)
        return dict(
            zip(requests, encode(self.expert.encoder, views.images, requests)))
