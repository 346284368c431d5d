"""Compare pretraining methods under one small budget, on persons of yours.

    python tools/evidence.py --market data/market1501 --out work_dirs/evidence
    python tools/evidence.py --data FOLDER --rows none mae saip --epochs 2
    python tools/evidence.py --market data/market1501 --report evidence.md

What is done already is kept: start it again after a kill, or several times at
once with other --rows. --report only writes what has been measured so far.
"""
import argparse
import shlex
import sys

from saip_mm.apis.command_line import one_line_errors
from saip_mm.apis.evidence import (ROWS, Budget, as_markdown, evidence_data,
                                   make_evidence, market_data, rows_named)
from saip_mm.weights import write_file


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    budget = Budget()
    add = parser.add_argument
    add('--data', help='folder with persons/, parts/ and reid/')
    add('--market', help="folder of Market1501's layout")
    add('--parts', help="with --market: folder of LIP's layout, classes.txt")
    add('--more', nargs='*', default=[], help='more folders to pretrain on')
    add('--out',
        default='work_dirs/evidence',
        help='results; default: '
        'work_dirs/evidence')
    add('--rows',
        nargs='+',
        metavar='ROW',
        help=f'of {", ".join(ROWS)}; '
        'default: all')
    add('--backbones', nargs='+', default=['vit_tiny', 'starnet_s3'])
    for name, value in budget._asdict().items():
        many = isinstance(value, tuple)
        add(f'--{name.replace("_", "-")}',
            type=int,
            nargs='*' if many else None,
            default=value,
            help=f'default: {value}')
    add('--report', metavar='FILE', help='write the table, train nothing')
    return parser.parse_args()


def main():
    args = parse_args()
    if args.report is not None:
        command = shlex.join(['tools/evidence.py', *sys.argv[1:]])
        write_file(args.report, as_markdown(args.out, command).encode('utf-8'))
        print(args.report)
        return
    more = tuple(args.more)
    if args.market and not args.data:
        data = market_data(args.market, args.parts, more)
    elif args.data and not args.market and args.parts is None:
        data = evidence_data(args.data, more)
    else:
        raise ValueError('give --data, or --market with or without --parts')
    given = {name: getattr(args, name) for name in Budget._fields}
    budget = Budget(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in given.items()
        })
    make_evidence(
        rows_named(args.rows, args.backbones), data, budget, args.out)
    print(as_markdown(args.out))


if __name__ == '__main__':
    with one_line_errors():
        main()
