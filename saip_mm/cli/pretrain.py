"""Pretrain a backbone on a folder of pictures of persons.

    saip-mm pretrain data/persons --backbone starnet_s3
    saip-mm pretrain data/persons --init work_dirs/a/run/epoch_50.pth --gpus 4
    saip-mm pretrain --config work_dirs/persons_starnet_s3/pretrain.py --resume

A config is written to the out folder first, with the reason of each setting:
look at it, change it, start it again by --config.
"""
import argparse

HELP = 'pretrain a backbone on a folder of pictures'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('folder', nargs='?', help='pictures, sub-folders included; or an LMDB')
    add('--config', help='start this config as it is, instead of a folder')
    add('--backbone',
        help='vit_tiny (default), starnet_s3 or tinyvit_5m, 5 to 5.5 M '
        'parameters each')
    add('--out',
        help='new folder for config and checkpoints; default: '
        'work_dirs/FOLDER_BACKBONE')
    add('--init',
        metavar='FILE_OR_NAME',
        help='continue from these weights: a file of any layout that saip-mm '
        'convert knows, saip://NAME or NAME; default: random')
    add('--init-which',
        choices=['student', 'expert'],
        help="whose backbone, where the file holds both; default: SAIP's "
        'student, the teacher of DINO and SOLIDER')
    add('--expert',
        metavar='FILE_OR_NAME',
        help='learn from this frozen model (SAIP*) instead of an average: a '
        "file of PATH, DINO, SOLIDER ..., timm's name or folder, or a model "
        'of the zoo; see docs/experts.md')
    add('--gpus', type=int, default=1, help='GPUs of this machine; default: 1')
    add('--resume',
        action='store_true',
        help='go on from the last checkpoint of --out or --config')
    add('--resume-schedule',
        choices=['kept', 'new'],
        help="of a resumed run: the checkpoint's learning rates go on, or "
        "the config's")
    add('--write-only',
        action='store_true',
        help='write the config and do not start it')
    asked = parser.add_argument_group(
        'settings', 'chosen by the number of pictures and the machine where '
        'they are left out')
    add = asked.add_argument
    add('--epochs', type=int, help='times through the folder')
    add('--batch-size', type=int, help='pictures a step and GPU')
    add('--size',
        type=height_and_width,
        metavar='HxW',
        help='of a person in pixels, multiples of 16, such as 256x128')
    add('--matching',
        choices=['batch', 'prototypes'],
        help='tell a person from those of the batch, or by prototypes')
    add('--precision', choices=['float32', 'mixed'])
    add('--workers', type=int, help='processes that load, for each GPU')
    add('--seed', type=int, help='of all that is drawn; default: 0')
    # in the processes that torchrun starts
    parser.add_argument('--launcher', default='none', help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from saip_mm.apis.start import pretrain, start_config
    if args.launcher != 'none':
        start_config(
            args.config,
            resume=args.resume,
            resume_schedule=args.resume_schedule,
            launcher=args.launcher)
        return
    result = pretrain(
        args.folder,
        args.out,
        config=args.config,
        gpus=args.gpus,
        resume=args.resume,
        resume_schedule=args.resume_schedule,
        write_only=args.write_only,
        backbone=args.backbone,
        init=args.init,
        init_which=args.init_which,
        expert=args.expert,
        epochs=args.epochs,
        batch_size=args.batch_size,
        size=args.size,
        matching=args.matching,
        precision=args.precision,
        workers=args.workers,
        seed=args.seed)
    if args.write_only:
        print(f'start it by: saip-mm pretrain --config {result}')
    else:
        print(f'last checkpoint: {result}')


def height_and_width(text: str) -> tuple:
    """``256x128`` as two numbers."""
    height, _, width = text.lower().partition('x')
    if not (height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"'{text}' is no HxW in pixels, such as 256x128")
    return int(height), int(width)
