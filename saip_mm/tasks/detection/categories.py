"""Categories of a data set: the benchmark's, or a user's own."""
from typing import Dict, List, Sequence, Tuple

from mmdet.visualization import get_palette


def check_classes(classes: Sequence[str], source: str) -> Tuple[str, ...]:
    """Refuse names of categories that would be misread.

    Args:
        classes (Sequence[str]): ``metainfo['classes']``.
        source (str): The data set, for the error.

    Returns:
        tuple[str]: The names.

    Raises:
        ValueError: If it is one text, whose letters would be the categories;
            if there is none; if a name is no text or stands twice.
    """
    if isinstance(classes, str):
        raise ValueError(f"{source}: metainfo['classes'] is the text "
                         f"'{classes}': write ('{classes}', )")
    classes = tuple(classes)
    if not classes or not all(
            name and isinstance(name, str) for name in classes):
        raise ValueError(f"{source}: metainfo['classes'] is {classes}, "
                         'expected names of categories')
    twice = sorted({name for name in classes if classes.count(name) > 1})
    if twice:
        raise ValueError(f"{source}: metainfo['classes'] names {twice[0]} "
                         'more than once')
    return classes


def name_some(classes: Sequence[str]) -> str:
    """Categories by name, as far as a line has room.

    Example:
        >>> name_some(('person', 'bicycle'))
        'person or bicycle'
        >>> name_some(tuple('abcdefg'))
        'one of the 7 categories'
    """
    if len(classes) > 5:
        return f'one of the {len(classes)} categories'
    return ' or '.join(classes)


def set_colours(metainfo: Dict) -> None:
    """Give each category a colour, where the palette has too few.

    Those of the parent's own categories would be left over otherwise, and
    visualizers stop at the first number beyond.
    """
    palette, number = metainfo.get('palette'), len(metainfo['classes'])
    if isinstance(palette, list) and len(palette) < number:
        metainfo['palette'] = get_colours(number)


def get_colours(number: int) -> List[tuple]:
    """Colours which differ, RGB in [0, 255]."""
    colours = get_palette('coco', 1)
    if number > len(colours):
        colours = get_palette('random', number)
    return [tuple(map(int, colour)) for colour in colours[:number]]


class NoProposalsMixin:
    """For data sets of mmdet: no pickled list of proposals is opened."""

    def load_proposals(self) -> None:
        """Refuse ``proposal_file``, whose pickle could run code.

        Raises:
            ValueError: Always; our detectors propose for themselves.
        """
        raise ValueError(
            f'proposal_file {self.proposal_file} is a pickle, which could run '
            'code when opened, and is not read: leave proposal_file out, the '
            'detector proposes for itself')
