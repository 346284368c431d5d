"""Write a backbone to files for others."""
import argparse
import functools
import os.path as osp

from ..weights.release import publish_release

HELP = ('write the image encoder of a checkpoint alone: .pth, safetensors, a '
        'folder for timm, model card and metafile row')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``saip-mm publish``."""
    parser.add_argument(
        'checkpoint',
        help='training checkpoint, or a file of any known layout')
    parser.add_argument(
        '--which',
        choices=['student', 'expert'],
        help="whose encoder (default: SAIP's student, the teacher of DINO "
        'and SOLIDER, of a file of one alone that one)')
    parser.add_argument(
        '--out-dir', default='.', help='folder to write to (default: here)')
    parser.add_argument(
        '--name', help="model name (default: the config's name)")
    parser.add_argument('--date', help='yyyymmdd (default: today)')
    parser.add_argument(
        '--teacher', help="what it learnt from (default: the config's)")
    parser.add_argument(
        '--data', help="what it was trained on (default: the config's lists)")
    parser.add_argument(
        '--licence', help='of the weights, such as CC-BY-NC-4.0')
    parser.add_argument(
        '--semantic-weight',
        type=float,
        help="lambda of SOLIDER's, from 0 (looks) to 1 (parts) (default: 0.2)")
    parser.add_argument(
        '--pictures',
        metavar='FOLDER',
        help="measure BatchNorm's running statistics on these, 2048 of them "
        'at most, instead of keeping those of the training')
    parser.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='leave out pictures that cannot be read')
    parser.add_argument(
        '--timm',
        action=argparse.BooleanOptionalAction,
        help='a folder that timm opens (default: where timm has the model)')
    parser.add_argument('--metafile', help='enter the file there, too')
    parser.add_argument(
        '--collection',
        default='SAIP',
        help='of a new row of the metafile (default: SAIP)')
    parser.add_argument(
        '--config', help='path of its config, for a new row of the metafile')


def run(args: argparse.Namespace) -> None:
    """Publish, and name what was written."""
    measure = None
    if args.pictures is not None:
        from ..apis import measure_statistics
        measure = functools.partial(
            measure_statistics,
            pictures=args.pictures,
            skip_unreadable=args.skip_unreadable)
    elif args.skip_unreadable:
        raise ValueError('--skip-unreadable without --pictures: none are read')
    release = publish_release(
        args.checkpoint,
        args.out_dir,
        args.which,
        args.name,
        args.date,
        timm=args.timm,
        metafile=args.metafile,
        collection=args.collection,
        config=args.config,
        measure=measure,
        teacher=args.teacher,
        data=args.data,
        licence=args.licence,
        semantic_weight=args.semantic_weight)
    for path in release.files:
        print(f'wrote       {path}{"/" if osp.isdir(path) else ""}')
    for note in release.notes:
        print(f'note        {note}')
    print(f'parameters  {release.published.parameters:,}\n'
          f'SHA-256     {release.published.sha256}')
