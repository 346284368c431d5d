"""Check a copy of CIHP, count what is in it, and write the index.

    python tools/dataset_converters/cihp.py data/CIHP --workers 8

The index, annotations/cihp_train.json and cihp_val.json, holds sizes, persons
and boxes. The data set makes it at its first use as well; made beforehand, by
several processes, training starts at once. The published counts are printed
beside. Exits with 1 if --check finds files that disagree.
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.tasks.parsing.archive_check import SOURCE, check_archive
from saip_mm.tasks.parsing.picture_scan import describe_odd


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=SOURCE,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help='folder with Training/ and Validation/')
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=['train', 'val'],
        default=['train', 'val'],
        help='default: both')
    parser.add_argument(
        '--check',
        action='store_true',
        help='compare Instance_ids with the two maps, and list files that '
        'disagree')
    parser.add_argument('--workers', type=int, default=0, help='processes')
    return parser.parse_args()


def main():
    args = parse_args()
    wrong = []
    for report in check_archive(args.root, args.splits, args.check,
                                args.workers):
        print('\n'.join(report.lines()))
        if describe_odd(report.odd):
            print(f'Warning: {report.name}: {describe_odd(report.odd)}')
        wrong += report.wrong or []
    if args.check:
        print('\n'.join(wrong) if wrong else 'Instance_ids: all agree')
    if wrong:
        raise SystemExit(1)


if __name__ == '__main__':
    with one_line_errors():
        main()
