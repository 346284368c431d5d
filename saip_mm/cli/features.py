"""Write what a backbone gives of pictures to an ``.npz`` file.

    saip-mm features saip_vit.pth pictures/ --out pictures.npz
    saip-mm features saip_vit.pth a.jpg b.jpg --outputs image final --out x.npz

The file has ``paths``, ``size`` and an array an output; it holds no pickle.
"""
from saip_mm.apis.features import DTYPES, extract_features

HELP = 'write features of pictures to an .npz file'


def add_arguments(parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        'model',
        help='checkpoint of a pretraining, published backbone, or a file of '
        'another project that saip-mm convert knows')
    parser.add_argument(
        'pictures', nargs='+', help='a folder of pictures, or pictures')
    parser.add_argument('--out', required=True, help='.npz file to write')
    parser.add_argument(
        '--outputs',
        nargs='+',
        default=['image'],
        metavar='NAME',
        help='image (default), inner and final (patch tokens), stage1, '
        'stage2 ... (maps of the backbone)')
    parser.add_argument('--dtype', choices=DTYPES, default=DTYPES[0])
    add_reading_arguments(parser)


def add_reading_arguments(parser) -> None:
    """Add how pictures are read and encoded."""
    parser.add_argument(
        '--size',
        nargs=2,
        type=int,
        metavar=('HEIGHT', 'WIDTH'),
        help='of the pictures, in pixels (default: of the training where the '
        'file says it, else 256 128)')
    add_which(parser)
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument(
        '--workers', type=int, default=0, help='processes that read pictures')
    parser.add_argument('--device', help='such as cpu (default: GPU, if any)')
    parser.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='leave out and count what cannot be read')


def add_which(parser) -> None:
    """Add whose encoder is asked, of a file of two."""
    parser.add_argument(
        '--which',
        choices=('student', 'expert'),
        help="whose encoder, where the file holds both (default: SAIP's "
        'student, the teacher of DINO and SOLIDER)')


def reading_options(args) -> dict:
    """The same as arguments of ``extract_features``."""
    return dict(
        size=args.size and tuple(args.size),
        which=args.which,
        batch_size=args.batch_size,
        num_workers=args.workers,
        device=args.device,
        skip_unreadable=args.skip_unreadable)


def run(args) -> None:
    """Extract and write."""
    one = len(args.pictures) == 1
    found = extract_features(
        args.model,
        args.pictures[0] if one else args.pictures,
        args.outputs,
        args.out,
        dtype=args.dtype,
        **reading_options(args))
    print(f'{args.out}: {len(found.paths)} pictures at '
          f'{found.size[0]}x{found.size[1]}')
    for name, array in found.arrays.items():
        print(f'  {name}: {array.dtype} {array.shape}')
    if found.skipped:
        print(f'  {len(found.skipped)} pictures left out, they cannot be read')
