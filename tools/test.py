"""Evaluate a checkpoint with a config's test_dataloader.

    python tools/test.py CONFIG CHECKPOINT --out predictions.pkl
"""
import argparse
import os

from mmengine.config import DictAction

from saip_mm.apis import evaluate
from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights')
    parser.add_argument('--work-dir', help='folder for metrics and logs')
    parser.add_argument('--out', help='.pkl file to write predictions to')
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision (float32 with a warning if there is no GPU)')
    parser.add_argument(
        '--tta',
        action='store_true',
        help="average over the config's tta_pipeline, mirror images say")
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override settings: test_dataloader.batch_size=64')
    parser.add_argument(
        '--launcher',
        choices=['none', 'pytorch', 'slurm', 'mpi'],
        default='none')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0)
    args = parser.parse_args()
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    return args


def main():
    args = parse_args()
    with errors_in_a_line():
        evaluate(
            args.config,
            args.checkpoint,
            work_dir=args.work_dir,
            out=args.out,
            amp=args.amp,
            tta=args.tta,
            cfg_options=args.cfg_options,
            launcher=args.launcher)


if __name__ == '__main__':
    main()
