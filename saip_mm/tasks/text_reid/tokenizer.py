"""Sentences as CLIP reads them: cleaned, in pieces, of one length."""
import html
import re
from typing import List, Optional, Sequence

import torch
from torch import Tensor

from mmpretrain.registry import TOKENIZER
from .byte_pairs import BYTES, REMEDY, BytePairs, find_merges, read_merges

SPACE = re.compile(r'\s+')
WORDS = (r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
SPECIAL = 3  # mask, start, end


def clean_caption(text: str) -> str:
    """Mend, unescape, collapse white space, lower-case.

    Args:
        text (str): As somebody wrote it.

    Raises:
        ImportError: If ftfy, which mends broken encodings, is not installed.

    Example:
        >>> clean_caption(' T-shirt &amp;amp; \\n Jeans!! ')
        't-shirt & jeans!!'
    """
    try:
        import ftfy
    except ImportError as error:
        raise ImportError('captions are mended by ftfy; pip install '
                          '"saip_mm[text]"') from error
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return SPACE.sub(' ', text).strip().lower()


@TOKENIZER.register_module()
class CaptionTokenizer:
    """CLIP's tokenizer with a word of its own for what is hidden.

    Start, pieces, end, zeros. The last three ids are the mask, the start and
    the end, of CLIP's 49408 these are 49405, 49406 and 49407. CLIP has a word
    in the mask's place, its last merge (jekyll), which is not applied here,
    so that the word is two pieces.

    What looks like a special token in a caption is letters and signs.

    Args:
        vocab_size (int): Of ids. Fewer than CLIP's are made by leaving out its
            last merges: words come in more pieces then. Defaults to 49408.
        context_length (int): Of a sequence. Defaults to 77.
        truncate (bool): Whether what is longer is cut, its last id
            overwritten by the end. Defaults to True.
        bpe_path (str, optional): File of the merges. Defaults to None, that
            which comes with mmsegmentation.

    Raises:
        ImportError: If the vocabulary, or what splits words, is not installed.
        ValueError: If a size is too small.

    Source:
        Ids are OpenAI CLIP's, except for the mask (IRRA's).
    """

    def __init__(self,
                 vocab_size: int = 49408,
                 context_length: int = 77,
                 truncate: bool = True,
                 bpe_path: Optional[str] = None) -> None:
        least = 2 * BYTES + SPECIAL
        if vocab_size < least or context_length < 3:
            raise ValueError(
                f'vocab_size={vocab_size} and context_length={context_length}'
                f': at least {least} (each byte, mask, start and end) and 3')
        try:
            import regex
        except ImportError as error:
            raise ImportError(f'regex is not installed: {REMEDY}') from error
        merges = read_merges(find_merges(bpe_path), vocab_size - least)
        self.pieces = BytePairs(merges)
        self.pattern = regex.compile(WORDS)
        self.vocab_size = vocab_size
        self.context_length = context_length
        self.truncate = truncate
        self.mask, self.start, self.end = range(vocab_size - SPECIAL,
                                                vocab_size)

    def encode(self, caption: str) -> List[int]:
        """Ids of a caption's pieces, without start and end.

        Raises:
            ValueError: If nothing is left after cleaning.
        """
        words = self.pattern.findall(clean_caption(caption))
        if not words:
            raise ValueError(f'caption {caption!r} is empty: no word is left '
                             'after cleaning')
        return [number for word in words for number in self.pieces(word)]

    def __call__(self, captions: Sequence[str]) -> Tensor:
        """Sequences of captions.

        Args:
            captions (Sequence[str]): N sentences.

        Returns:
            Tensor: ``(N, context_length)`` int64, 0 behind the end.

        Raises:
            ValueError: If a caption is empty, or too long and
                ``truncate=False``.
        """
        out = torch.zeros(len(captions), self.context_length, dtype=torch.long)
        for row, caption in zip(out, captions):
            ids = [self.start, *self.encode(caption), self.end]
            if len(ids) > self.context_length:
                self.check_length(len(ids), caption)
                ids = [*ids[:self.context_length - 1], self.end]
            row[:len(ids)] = torch.tensor(ids)
        return out

    def check_length(self, length: int, caption: str) -> None:
        """Refuse a caption that is too long, where it is not to be cut."""
        if not self.truncate:
            raise ValueError(
                f'caption needs {length} tokens, context is '
                f'{self.context_length}: shorten it, or let it be cut with '
                f'model.tokenizer.truncate=True: {caption[:60]!r}')
