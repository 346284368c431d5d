"""Pack images into an LMDB, one file instead of a million.

    python tools/dataset_converters/pack_lmdb.py \
        data/luperson data/lup1m_lmdb --keys lup1m.txt

Use it as data_root; keys stay as they were.
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.prepare.lmdb_pack import pack_lmdb
from saip_mm.datasets.sources import build_source


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='folder tree')
    parser.add_argument('out', help='folder to write; must not exist')
    parser.add_argument(
        '--keys',
        default='',
        help='list of images to pack, path relative to SOURCE; default: all')
    parser.add_argument(
        '--long-side',
        type=int,
        help='shrink larger images to this (384 halves the cost of decoding '
        'and changes pixels); default: keep every byte')
    return parser.parse_args()


def main():
    args = parse_args()
    report = pack_lmdb(
        build_source(args.source, args.keys), args.out, args.long_side)
    for failure in report['broken'][:10]:
        print(f'\nleft out {failure}', end='')
    print(f"\n{report['packed']} images, {report['bytes'] / 2**20:.1f} MiB, "
          f"{len(report['broken'])} left out; data_root='{args.out}'")


if __name__ == '__main__':
    with one_line_errors():
        main()
