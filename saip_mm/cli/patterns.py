"""Draw what backbones see in one person and in a group, side by side.

    saip-mm patterns saip_vit.pth dino=dino_vit.pth --person person.jpg
    saip-mm patterns saip_vit.pth --group street.jpg --box 10 40 60 200 \\
        --box 90 30 150 210

As in Fig. 4 of the paper.
"""
import os.path as osp

from saip_mm.apis.patterns import KINDS, as_table, compare_patterns
from .features import add_which

HELP = 'draw what backbones see in one person and in a group'


def add_arguments(parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        'models',
        nargs='+',
        metavar='[NAME=]FILE',
        help='checkpoints of pretrainings or published backbones, a column '
        'each')
    parser.add_argument('--person', help='picture of one person')
    parser.add_argument('--group', help='picture of several persons')
    parser.add_argument(
        '--box',
        nargs=4,
        type=float,
        action='append',
        default=[],
        dest='boxes',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='of a person of the group, in pixels; once a person')
    parser.add_argument('--kind', choices=KINDS, default=KINDS[0])
    parser.add_argument(
        '--scales',
        nargs='+',
        type=float,
        default=[1., 0.5],
        help="of the person, factors of the backbone's own size")
    parser.add_argument(
        '--cells',
        default='final',
        help='final (default), inner, stage1, stage2 ...')
    parser.add_argument(
        '--group-side', type=int, help='longer side of the group, in pixels')
    add_which(parser)
    parser.add_argument('--device', help='such as cpu (default: GPU, if any)')
    parser.add_argument('--out', default='patterns.png', help='PNG to write')


def run(args) -> None:
    """Draw, and print how clear the maps are."""
    scores = compare_patterns(
        _by_name(args.models), args.out, args.person, args.group, args.boxes,
        args.kind, args.scales, args.cells, args.group_side, args.which,
        args.device)
    print(as_table(scores))
    print(args.out)


def _by_name(models):
    """Names where they are given, else files whose names are taken."""
    pairs = [('', model) if osp.exists(model) else model.rpartition('=')[::2]
             for model in models]
    if not any(name for name, _ in pairs):
        return [model for _, model in pairs]
    return {
        name or osp.splitext(osp.basename(model))[0]: model
        for name, model in pairs
    }
