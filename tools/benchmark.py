"""Measure speed and memory, beside the yardsticks where there are some.

    python tools/benchmark.py pretrain configs/saip/vit_tiny.py \
        --images data/synthetic/luperson --yardsticks DIR
"""
import argparse
import platform

import torch
from mmengine.config import DictAction

from saip_mm.apis.benchmark import benchmark_pretrain
from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('what', choices=('pretrain', ))
    parser.add_argument(
        'config', nargs='?', default='configs/saip/vit_tiny.py')
    parser.add_argument('--images', help="folder to read instead of config's")
    parser.add_argument('--batch', type=int, default=8)
    parser.add_argument(
        '--steps', type=int, default=12, help='a round; each draws its scales')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--yardsticks', help='folder of reference_*.py')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    with errors_in_a_line():
        rows = benchmark_pretrain(args.config, args.images, args.batch,
                                  args.steps, args.threads, args.rounds,
                                  args.yardsticks, args.cfg_options)
    device = torch.cuda.get_device_name() if torch.cuda.is_available(
    ) else f'{platform.processor() or platform.machine()} CPU'
    print(f'{args.config} on {device}, torch {torch.__version__}, median of '
          f'{args.rounds} rounds')
    rows.insert(0, ['', 'ours', 'yardstick', 'ratio'])
    for row in rows:
        print('{:<42}{:>10}{:>11}{:>8}'.format(*row))


if __name__ == '__main__':
    main()
