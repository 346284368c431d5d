"""Draw what a pretraining's model gets of some pictures, as a PNG.

    saip-mm views data/persons
    saip-mm views work_dirs/persons_vit_tiny --num 4 --out views.png
"""
import argparse

HELP = 'draw what the model of a pretraining gets'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    add = parser.add_argument
    add('source',
        help='a config, the out folder of `saip-mm pretrain`, or a folder of '
        'pictures (then with the settings that pretrain would choose)')
    add('--backbone', default='vit_tiny', help='for a folder of pictures')
    add('--out', default='views.png', help='PNG to write; default: views.png')
    add('--num', type=int, default=6, help='pictures, the rows; default: 6')
    add('--seed', type=int, default=0, help='of choice and draws')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from saip_mm.apis.start_views import draw_views
    height, width = draw_views(args.source, args.out, args.backbone, args.num,
                               args.seed)
    print(f'{args.out}: {width}x{height} pixels')
