"""Convert a plain ViT of DINO, MAE, DeiT, timm or SAIP's release.

    python tools/model_converters/vit_to_mmpretrain.py checkpoint.pth out.pth \
        --branch teacher --grid 16 8

``saip-mm convert`` recognises by itself whose file it is, StarNet's and
TinyViT's too.
"""
import argparse
from argparse import Namespace

from saip_mm.weights import (checkpoint_bytes, convert_vit_keys,
                             read_checkpoint, select_branch, write_file)


def parse_args() -> Namespace:
    parser = argparse.ArgumentParser(
        description="Rename a plain transformer's weights to mmpretrain's "
        'VisionTransformer')
    parser.add_argument('checkpoint', help='file with blocks.0.attn.qkv ...')
    parser.add_argument('out', help='file to write')
    parser.add_argument(
        '--branch',
        choices=['student', 'teacher'],
        help='whose weights, where the file holds both')
    parser.add_argument(
        '--grid',
        type=int,
        nargs=2,
        metavar=('ROWS', 'COLUMNS'),
        help='of the position table, where its length fits several')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        vit = convert_vit_keys(
            select_branch(read_checkpoint(args.checkpoint), args.branch),
            args.grid)
    except (OSError, ValueError) as error:
        raise SystemExit(f'error: {args.checkpoint}: {error}')
    meta = dict(
        position_grid=list(vit.grid),
        origin=dict(file=args.checkpoint, branch=args.branch))
    converted = dict(meta=meta, state_dict=vit.backbone)
    try:
        write_file(args.out, checkpoint_bytes(converted))
    except OSError as error:
        raise SystemExit(f'error: {error}')
    print(f'{args.out}: {len(vit.backbone)} tensors, positions '
          f'{vit.grid[0]}x{vit.grid[1]}; left out: '
          f'{", ".join(vit.ignored[:5]) or "nothing"}'
          f'{" ..." if len(vit.ignored) > 5 else ""}')


if __name__ == '__main__':
    main()
