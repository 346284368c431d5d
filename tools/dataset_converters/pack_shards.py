"""Pack images into WebDataset's tar shards, for disks and servers.

    python tools/dataset_converters/pack_shards.py \
        data/luperson data/lup1m_shards --keys lup1m.txt

Use it as data_root, or put the folder on a web server and use its address.
Shards from elsewhere only need to be counted:

    python tools/dataset_converters/pack_shards.py --index data/shards
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.prepare.shard_pack import (COUNT, MEGABYTES,
                                                 index_shards, pack_shards)
from saip_mm.datasets.sources import build_source


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='folder tree, or folder with an LMDB')
    parser.add_argument(
        'out', nargs='?', help='folder to write; must not exist')
    parser.add_argument(
        '--index',
        action='store_true',
        help='SOURCE holds shards: count them, write its shards.json')
    parser.add_argument(
        '--keys',
        default='',
        help='list of images to pack, path relative to SOURCE; default: all')
    parser.add_argument(
        '--count', type=int, default=COUNT, help=f'a shard; default {COUNT}')
    parser.add_argument(
        '--megabytes',
        type=float,
        default=MEGABYTES,
        help=f'a shard, at most about; default {MEGABYTES}')
    parser.add_argument('--seed', type=int, default=0, help='of the order')
    parser.add_argument(
        '--in-order',
        action='store_true',
        help='keep the order of SOURCE; training mixes a few shards only, so '
        'neighbours of a folder then meet in one batch')
    parser.add_argument(
        '--long-side',
        type=int,
        help='shrink larger images to this (384 halves the cost of decoding '
        'and changes pixels); default: keep every byte')
    args = parser.parse_args()
    if args.index == (args.out is not None):
        parser.error('give SOURCE and OUT to pack, or --index and SOURCE')
    return args


def main():
    args = parse_args()
    if args.index:
        report, out = index_shards(args.source), args.source
    else:
        out = args.out
        report = pack_shards(
            build_source(args.source,
                         args.keys), out, args.count, args.megabytes,
            None if args.in_order else args.seed, args.long_side)
    for failure in report['broken'][:10]:
        print(f'\nleft out {failure}', end='')
    print(f"\n{report['packed']} images in {report['shards']} shards, "
          f"{len(report['broken'])} left out; data_root='{out}'")


if __name__ == '__main__':
    with one_line_errors():
        main()
