"""Choose images for pretraining: the same list on every machine.

    python tools/dataset_converters/build_image_list.py \
        data/luperson data/luperson/lup1m.txt --set lup1m

Selections of one seed are nested: lup1m in lup2m in lup4m.
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.prepare.image_selection import (LUP_SIZES,
                                                      build_image_list)
from saip_mm.datasets.sources import build_source


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='folder tree, or folder with an LMDB')
    parser.add_argument('out', help='list to write (.txt); facts in .txt.json')
    size = parser.add_mutually_exclusive_group()
    size.add_argument('--num', type=int, help='how many; default: all')
    size.add_argument(
        '--set', choices=sorted(LUP_SIZES), help="a size of the paper's")
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--keys',
        default='',
        help='choose from this list, not from all; path relative to SOURCE')
    parser.add_argument(
        '--order',
        choices=['random', 'cfs'],
        default='random',
        help='cfs: the first of --keys, which is in order of that score')
    parser.add_argument(
        '--screen',
        action='store_true',
        help='decode all images first, leave out unusable ones')
    parser.add_argument('--workers', type=int, default=0)
    return parser.parse_args()


def main():
    args = parse_args()
    if args.order == 'cfs' and not args.keys:
        raise SystemExit('--order cfs needs --keys: the list in that order')
    source = build_source(args.source, args.keys)
    num = LUP_SIZES[args.set] if args.set else args.num
    facts = build_image_list(source, args.out, num, args.seed, args.order,
                             args.screen, args.workers)
    print(f"\n{facts['num']} of {facts['seen']} images in {args.out}, "
          f"SHA-256 {facts['sha256'][:8]}")
    if num and facts['num'] < num:
        print(f'Warning: {num} were asked for. A copy of LUPerson made today '
              'is incomplete: videos vanish.')


if __name__ == '__main__':
    with one_line_errors():
        main()
