"""Turn other projects' weights into a backbone of this one."""
import argparse

from ..weights import (checkpoint_bytes, convert_backbone, file_sha256,
                       read_checkpoint, write_file)
from ..weights.architecture import VIT
from ..weights.key_maps import vit_depth
from ..weights.last_block import last_block_ratio, say_last_block
from ..weights.safetensors_file import safetensors_bytes

HELP = ("turn weights of SAIP's release, DINO, MAE, HAP, PATH, SOLIDER, timm, "
        'StarNet or TinyViT into a file that a backbone here takes')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of ``saip-mm convert``."""
    parser.add_argument('checkpoint', help='file of any known layout')
    parser.add_argument('out', help='file to write: .pth or .safetensors')
    parser.add_argument(
        '--which',
        choices=['student', 'teacher'],
        help='whose weights, where the file holds both (default: the '
        "student of SAIP, the teacher of DINO and SOLIDER)")
    parser.add_argument(
        '--grid',
        type=int,
        nargs=2,
        metavar=('ROWS', 'COLUMNS'),
        help='of the position table, where its length fits several')
    parser.add_argument(
        '--num-heads', type=int, help='of each block, where not width / 64')
    parser.add_argument(
        '--last-block-heads',
        type=int,
        help="of the last block (SAIP*'s ViT-Tiny: --num-heads 6 "
        '--last-block-heads 12)')
    parser.add_argument(
        '--last-stride',
        type=int,
        choices=[1, 2],
        help='of StarNet and TinyViT (default: 1 of the authors\', else 2)')


def run(args: argparse.Namespace) -> None:
    """Convert, say what was recognised, taken and left out."""
    if not args.out.endswith(('.pth', '.safetensors')):
        raise ValueError(f'{args.out}: end the name in .pth or .safetensors')
    options = dict(
        num_heads=args.num_heads,
        last_block_heads=args.last_block_heads,
        last_stride=args.last_stride)
    content = read_checkpoint(args.checkpoint)
    try:
        found = convert_backbone(content, args.which, args.grid, options)
    except ValueError as error:
        raise ValueError(f'{args.checkpoint}: {error}') from error
    converted = found.checkpoint(source_sha256=file_sha256(args.checkpoint))
    to_bytes = (
        checkpoint_bytes if args.out.endswith('.pth') else safetensors_bytes)
    write_file(args.out, to_bytes(converted))
    which = f', {found.which}' if found.which else ''
    left = ', '.join(found.left_out[:5]) or 'nothing'
    print(f'recognised  {found.layout}{which}\n'
          f'wrote       {args.out}, {len(found.weights)} tensors\n'
          f'left out    {left}{" ..." if len(found.left_out) > 5 else ""}\n'
          f'backbone    {found.model}')
    if found.model['type'] == VIT:
        line = say_last_block(
            last_block_ratio(found.weights), vit_depth(found.weights))
        print(f'last block  {line}')
