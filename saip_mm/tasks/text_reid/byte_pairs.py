"""Words in pieces: byte pairs, merged in a published order."""
import gzip
import hashlib
import os.path as osp
import zlib
from importlib.util import find_spec
from typing import Dict, List, Optional, Tuple

END = '</w>'  # of a word, part of its last piece
FILE = 'bpe_simple_vocab_16e6.txt.gz'
REMEDY = ('the CLIP vocabulary comes with mmsegmentation; pip install '
          '"saip_mm[text]", or pass bpe_path=FILE, a copy of ' + FILE)
BYTES = 256
MERGES = 48_894  # CLIP's, of the 262 145 lines of its file
# SHA-256 of these lines, joined by line feeds
DIGEST = 'f61f2adf497e6f5357c347aeb4646fabe82f341e946de5bdec5d2858e41bef4a'


def byte_names() -> Dict[int, str]:
    """How the file of merges writes each byte, as one character.

    What prints is itself, the others are numbered from 256 on.

    Returns:
        dict[int, str]: In the order of the vocabulary.

    Example:
        >>> names = byte_names()
        >>> len(names), names[ord('a')], names[ord(' ')] == chr(256 + 32)
        (256, 'a', True)
    """
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(BYTES) if byte not in shown]
    names = {byte: chr(byte) for byte in shown}
    names.update((byte, chr(BYTES + n)) for n, byte in enumerate(hidden))
    return names


def find_merges(path: Optional[str] = None) -> str:
    """The file of merges: the one given, or mmsegmentation's.

    mmsegmentation itself is not imported.

    Raises:
        FileNotFoundError: If the file given does not exist.
        ImportError: If none is given and mmsegmentation is not installed.
    """
    if path is not None:
        path = osp.expanduser(path)
        if not osp.isfile(path):
            raise FileNotFoundError(f"bpe_path '{path}' does not exist: it is "
                                    f'a copy of {FILE}')
        return path
    spec = find_spec('mmseg')
    path = spec and osp.join(osp.dirname(spec.origin), 'utils', FILE)
    if not path or not osp.isfile(path):
        raise ImportError(REMEDY)
    return path


def read_merges(path: str, count: int = MERGES) -> List[Tuple[str, str]]:
    """The first merges of a file, whose first line is no merge.

    Args:
        path (str): Text, one pair a line, packed by gzip.
        count (int): How many. Defaults to all of CLIP's.

    Raises:
        ValueError: If the file is damaged, holds something else, or fewer;
            or if it is as long as CLIP's and has others. With them every
            sentence would be read wrongly.
    """
    try:
        with gzip.open(path, 'rb') as file:  # to its end, where its sum stands
            lines = file.read().decode('utf-8').splitlines()[1:]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' is no list of merges packed by gzip "
                         f'({error}): it must be a copy of {FILE}') from error
    merges = [tuple(line.split()) for line in lines[:count]]
    if len(merges) < count or any(len(pair) != 2 for pair in merges):
        raise ValueError(f"'{path}' holds {len(lines)} lines of merges and "
                         f'{count} pairs are wanted: it must be a copy of '
                         f'{FILE}')
    known = '\n'.join(lines[:MERGES]).encode()
    whole = len(lines) >= MERGES
    if (len(set(merges)) < count
            or whole and hashlib.sha256(known).hexdigest() != DIGEST):
        raise ValueError(f"the merges of '{path}' are not CLIP's, or not in "
                         f'their order: it must be a copy of {FILE}')
    return merges


class BytePairs:
    """Ids of a word's pieces.

    Ids are 0 to 255 for bytes inside a word, 256 to 511 for bytes which end
    it, then one a merge.

    Args:
        merges (list[tuple[str, str]]): In their order.

    Example:
        >>> pairs = BytePairs([('a', 'b'), ('ab', 'c</w>')])
        >>> pairs('abc'), pairs('ab') == (64, 256 + 65)
        ((513,), True)
    """

    def __init__(self, merges: List[Tuple[str, str]]) -> None:
        self.names = byte_names()
        pieces = [*self.names.values()]
        pieces += [name + END for name in pieces]
        pieces += [first + second for first, second in merges]
        self.ids = {piece: number for number, piece in enumerate(pieces)}
        self.ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._known: Dict[str, Tuple[int, ...]] = {}

    def __call__(self, word: str) -> Tuple[int, ...]:
        """Ids of the pieces of a word, which is not empty."""
        if word not in self._known:
            names = [self.names[byte] for byte in word.encode('utf-8')]
            names[-1] += END
            self._known[word] = tuple(self.ids[piece]
                                      for piece in self._merge(names))
        return self._known[word]

    def _merge(self, pieces: List[str]) -> List[str]:
        """Apply the earliest merge of the list, everywhere, until none is
        left."""
        while len(pieces) > 1:
            pairs = set(zip(pieces, pieces[1:])) & self.ranks.keys()
            if not pairs:
                break
            pair = min(pairs, key=self.ranks.get)
            merged, at = [], 0
            while at < len(pieces):
                hit = tuple(pieces[at:at + 2]) == pair
                merged.append(''.join(pair) if hit else pieces[at])
                at += 1 + hit
            pieces = merged
        return pieces
