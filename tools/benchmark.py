"""Measure a pretraining or a network: speed, and what objectives do.

    python tools/benchmark.py pretrain configs/saip/vit_tiny.py \
        --images data/synthetic/luperson --yardsticks DIR
    python tools/benchmark.py search CONFIG CHECKPOINT
    python tools/benchmark.py reconstruction CONFIG CHECKPOINT
    python tools/benchmark.py gradients CONFIG [CHECKPOINT]
    python tools/benchmark.py latency [CONFIG_OR_FILE ...] --out latency.csv

pretrain: images/s and memory, beside the yardsticks where there are some.
search: do searches find the person or a distractor; beside mean colours.
reconstruction: by the right anchor, and by another person's.
gradients: how hard each objective pulls at the shared parameters.
latency: torch and ONNX Runtime on this CPU, of the three backbones by default.
"""
import argparse
import logging
import platform

import torch
from mmengine.config import DictAction

from saip_mm.apis import balance_report, reconstruction_report, search_report
from saip_mm.apis.benchmark import benchmark_pretrain
from saip_mm.apis.edge import (benchmark_latency, check_table,
                               latency_markdown, machine_line, write_latency)
from saip_mm.engine.user_errors import errors_in_a_line

BACKBONES = [
    f'saip_mm::_base_/backbones/{name}.py'
    for name in ('vit_tiny', 'starnet_s3', 'tinyvit_5m')
]
REPORTS = dict(
    search=search_report,
    reconstruction=reconstruction_report,
    gradients=balance_report)


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
    latency = what.add_parser('latency')
    latency.add_argument('whats', nargs='*', default=BACKBONES)
    latency.add_argument('--size', type=int, nargs=2, metavar=('H', 'W'))
    latency.add_argument('--batches', type=int, nargs='+', default=[1, 8])
    latency.add_argument('--threads', type=int, nargs='+', default=[1, 2])
    latency.add_argument('--repeats', type=int, default=30)
    latency.add_argument('--int8', action='store_true', help='static, too')
    latency.add_argument('--out', help='.csv; a table in .md goes beside it')
    for command in (speed, *reports, latency):
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


def print_latency(args):
    logging.getLogger().setLevel(logging.WARNING)
    if args.out:
        check_table(args.out)
    rows = benchmark_latency(args.whats, args.size, args.batches, args.threads,
                             args.repeats, args.int8, args.cfg_options)
    print(f'{machine_line()}\n\n{latency_markdown(rows)}')
    if args.out:
        print('\n'.join(write_latency(rows, args.out)))


def main():
    args = parse_args()
    with errors_in_a_line():
        if args.what == 'pretrain':
            print_speed(args)
        elif args.what == 'latency':
            print_latency(args)
        else:
            logging.getLogger().setLevel(logging.WARNING)
            print(REPORTS[args.what](args.config, args.checkpoint,
                                     args.batches, args.batch, args.seed,
                                     args.cfg_options))


if __name__ == '__main__':
    main()
