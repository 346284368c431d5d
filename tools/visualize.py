"""Draw what the model gets (views) and gives (reconstruction, search).

    python tools/visualize.py views configs/saip/vit_tiny.py --out views.png
    python tools/visualize.py search CONFIG CHECKPOINT --out search.png
    python tools/visualize.py patterns FILE FILE --person PICTURE

The last draws what any backbones see in a picture, side by side.
"""
import argparse
import logging

from mmengine.config import DictAction

from saip_mm.apis.inspect import draw_batch
from saip_mm.cli import patterns
from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    drawings = parser.add_subparsers(dest='what', required=True)
    for what in ('views', 'reconstruction', 'search'):
        add_arguments(drawings.add_parser(what))
    patterns.add_arguments(drawings.add_parser('patterns', help=patterns.HELP))
    return parser.parse_args()


def add_arguments(parser):
    parser.add_argument('config', help='a pretraining config')
    parser.add_argument('checkpoint', nargs='?', help='of that config')
    parser.add_argument('--out', default=None, help='PNG (default: WHAT.png)')
    parser.add_argument('--num', type=int, default=6, help='images (rows)')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)


def main():
    args = parse_args()
    logging.getLogger().setLevel(logging.WARNING)
    if args.what == 'patterns':
        with errors_in_a_line():
            patterns.run(args)
        return
    out = args.out or f'{args.what}.png'
    with errors_in_a_line():
        size = draw_batch(args.what, args.config, args.checkpoint, out,
                          args.num, args.seed, args.cfg_options)
    print(f'{out}: {size[1]}x{size[0]} pixels, {args.num} images')


if __name__ == '__main__':
    main()
