"""Measure a pretraining: its speed, and what its objectives do.

    python tools/benchmark.py pretrain configs/saip/vit_tiny.py \
        --images data/synthetic/luperson --yardsticks DIR
    python tools/benchmark.py search CONFIG CHECKPOINT
    python tools/benchmark.py gradients CONFIG [CHECKPOINT]

pretrain: images/s and memory, beside the yardsticks where there are some.
search: how often persons are told from distractors, beside mean colours.
gradients: how hard each objective pulls at the shared parameters.
"""
import argparse
import logging
import platform

import torch
from mmengine.config import DictAction

from saip_mm.apis import balance_report, search_report
from saip_mm.apis.benchmark import benchmark_pretrain
from saip_mm.engine.user_errors import errors_in_a_line

REPORTS = dict(search=search_report, gradients=balance_report)


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_subparsers(dest='what', required=True)
    speed = what.add_parser('pretrain')
    speed.add_argument('config', nargs='?', default='configs/saip/vit_tiny.py')
    speed.add_argument('--images', help="folder to read instead of config's")
    speed.add_argument('--batch', type=int, default=8)
    speed.add_argument(
        '--steps', type=int, default=12, help='a round; each draws its scales')
    speed.add_argument('--rounds', type=int, default=3)
    speed.add_argument('--threads', type=int, default=2)
    speed.add_argument('--yardsticks', help='folder of reference_*.py')
    reports = [what.add_parser(name) for name in REPORTS]
    for report in reports:
        report.add_argument('config', help='a pretraining config')
        report.add_argument(
            'checkpoint', nargs='?', help='of it (default: random start)')
        report.add_argument('--batches', type=int, default=10)
        report.add_argument('--batch', type=int, help="default: config's")
        report.add_argument('--seed', type=int, default=0)
    for command in (speed, *reports):
        command.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def print_speed(args):
    rows = benchmark_pretrain(args.config, args.images, args.batch, args.steps,
                              args.threads, args.rounds, args.yardsticks,
                              args.cfg_options)
    device = torch.cuda.get_device_name() if torch.cuda.is_available(
    ) else f'{platform.processor() or platform.machine()} CPU'
    print(f'{args.config} on {device}, torch {torch.__version__}, median of '
          f'{args.rounds} rounds')
    rows.insert(0, ['', 'ours', 'yardstick', 'ratio'])
    for row in rows:
        print('{:<42}{:>10}{:>11}{:>8}'.format(*row))


def main():
    args = parse_args()
    with errors_in_a_line():
        if args.what == 'pretrain':
            print_speed(args)
        else:
            logging.getLogger().setLevel(logging.WARNING)
            print(REPORTS[args.what](args.config, args.checkpoint,
                                     args.batches, args.batch, args.seed,
                                     args.cfg_options))


if __name__ == '__main__':
    main()
