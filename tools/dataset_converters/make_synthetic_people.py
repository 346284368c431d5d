"""Render people and write them as the real data sets are laid out.

    python tools/dataset_converters/make_synthetic_people.py data/synthetic \
        --formats luperson market1501 --size small --workers 8

The same settings give the same files, whatever the number of workers.
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.synthetic import SIZES, WRITERS, write_dataset
from saip_mm.synthetic.contact_sheet import save_contact_sheet


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('out', help='folder; gets one folder a format')
    parser.add_argument(
        '--formats',
        nargs='+',
        choices=sorted(WRITERS),
        default=sorted(WRITERS),
        help='default: all')
    parser.add_argument(
        '--size',
        choices=SIZES,
        default='tiny',
        help='tiny: seconds; small: 10 000 crops for pretraining; large: '
        '100 000')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--workers', type=int, default=0)
    parser.add_argument(
        '--preview', help='also draw people with their labels here (.png)')
    return parser.parse_args()


def main():
    args = parse_args()
    if args.preview:
        save_contact_sheet(args.preview, seed=args.seed)
        print(f'{args.preview}: what the labels say')
    manifests = write_dataset(args.out, args.formats, args.size, args.seed,
                              args.workers)
    for name, facts in manifests.items():
        state = 'already complete' if facts['skipped'] else 'written'
        print(f"{args.out}/{name}: {state}, {facts['num']} pictures, SHA-256 "
              f"{facts['sha256'][:8]}")


if __name__ == '__main__':
    with one_line_errors():
        main()
