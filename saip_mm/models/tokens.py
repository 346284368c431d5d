"""What heads ask of encoders, and what they get."""
from dataclasses import dataclass
from typing import Callable, List, NamedTuple, Optional, Sequence, Tuple, Union

from torch import Tensor

KINDS = ('image', 'inner', 'final')  # of tokens
WISHES = (*KINDS, 'attention')  # what an encoder may be asked for
ROLES = ('student', 'expert')


class Tokens(NamedTuple):
    """Tokens of a batch of B images; what was not asked for is None.

    Attributes:
        image (Tensor, optional): ``(B, D)``, the whole image.
        inner (Tensor, optional): ``(B, L, D_i)`` of the chosen block or map,
            row by row; with a mask the visible ones only, in the same order.
        final (Tensor, optional): ``(B, L', D_f)`` after the last norm, with
            a mask of the visible patches, or of the last map, which with a
            mask gives none.
        grid (tuple[int, int]): Rows and columns of the full grid of the
            inner tokens.
        attention (Tensor, optional): ``(B, 3, nh, N, hs)``, queries, keys and
            values of the last transformer block: of the class token, where
            there is one, and of the visible patches.
        final_grid (tuple[int, int], optional): Likewise of the final tokens,
            where it is another one.
    """
    image: Optional[Tensor]
    inner: Optional[Tensor]
    final: Optional[Tensor]
    grid: Tuple[int, int]
    attention: Optional[Tensor] = None
    final_grid: Optional[Tuple[int, int]] = None


# no NamedTuple: ConfigDict rebuilds tuples it is given
@dataclass(frozen=True)
class TokenDims:
    """Widths of an encoder's tokens, and its stride.

    Attributes:
        image (int): D.
        inner (int): D_i.
        final (int): D_f.
        stride (int): Pixels a side of an inner token, and of a cell of a
            mask.
    """
    image: int
    inner: int
    final: int
    stride: int


Mask = Union[Tensor, Callable[[List[Tokens]], Tensor]]


@dataclass(frozen=True, eq=False)
class Request:
    """One wish of a head.

    Attributes:
        view (str): Name in ``Views.images``.
        role (str): 'student', with gradient, or 'expert', without.
        tokens (Sequence[str]): Of 'image', 'inner', 'final', 'attention'.
        mask (Tensor | Callable, optional): ``(B, L)`` bool, True is hidden;
            the same number in every image. A student's may be a function of
            the answers to the expert's requests of the same head, in their
            order, which are there before the student runs.
        blank (Tensor | Callable, optional): As ``mask``, but what is hidden
            shows the mean colour (0) and stays among the tokens, and images
            may differ in how much it is.
        condition (Tensor, optional): ``(B,)`` in [0, 1], one number an image
            for an encoder that is told one (``SemanticEncoder``).

    Raises:
        ValueError: If the role or a kind of token is unknown, or an expert's
            mask is a function.
    """
    view: str
    role: str
    tokens: Sequence[str]
    mask: Optional[Mask] = None
    blank: Optional[Mask] = None
    condition: Optional[Tensor] = None

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role '{self.role}' is unknown: use one of "
                             f'{ROLES}')
        if not self.tokens or set(self.tokens) - set(WISHES):
            raise ValueError(f'tokens {self.tokens} of {self.view} must be '
                             f'some of {WISHES}')
        if self.role == 'expert' and (callable(self.mask)
                                      or callable(self.blank)):
            raise ValueError(
                f"the mask of the expert's {self.view} is a function: it runs "
                "first, so only a student's mask can wait for its answers")


class Answer(NamedTuple):
    """What a request got.

    Attributes:
        request (Request): Its mask is a tensor now.
        tokens (Tokens): More kinds than asked for, if others asked too.
    """
    request: Request
    tokens: Tokens
