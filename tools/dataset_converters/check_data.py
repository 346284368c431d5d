"""Count a data set you have, and compare with what was published.

    python tools/dataset_converters/check_data.py crowdhuman
    python tools/dataset_converters/check_data.py lip --root ~/LIP --read

Exit code 0 if all is there, 1 if less or other than was published, 2 if a
training would stop at it. Where to ask for each: docs/data.md.
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.prepare.data_check import COMPLETE, check_data_set
from saip_mm.datasets.prepare.data_sets import DATA_SETS


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', choices=DATA_SETS, help='which one')
    parser.add_argument(
        '--root', help='its folder; default: where the configs look for it')
    parser.add_argument(
        '--read',
        action='store_true',
        help='open every picture and label: minutes to hours')
    return parser.parse_args()


def main():
    args = parse_args()
    verdict = check_data_set(args.name, args.root, args.read)
    print('\n'.join(verdict.lines))
    if not verdict.usable:
        raise SystemExit(2)
    if verdict.word != COMPLETE:
        raise SystemExit(1)


if __name__ == '__main__':
    with one_line_errors():
        main()
