r"""Train what a config describes.

    python tools/train.py configs/saip/vit_tiny.py
    python tools/train.py configs/saip/vit_tiny.py --resume
    python tools/train.py configs/saip/vit_tiny.py --resume \
        --resume-schedule new --cfg-options optim_wrapper.optimizer.lr=1e-3

Several GPUs: tools/dist_train.sh, tools/slurm_train.sh.
"""
import argparse
import os

from mmengine.config import DictAction

from saip_mm.apis import train
from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--work-dir',
        help='folder for checkpoints and logs; default: work_dirs/ and the '
        "config's place under configs/")
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from this checkpoint, or the last one of this folder; '
        'without a path, from the last one of the work dir')
    parser.add_argument(
        '--resume-schedule',
        choices=['kept', 'new'],
        help="of a resumed run: the checkpoint's learning rates go on (kept, "
        'the default where the batch is the same), or those of the config '
        'from the present iteration on (new)')
    parser.add_argument(
        '--amp',
        action='store_true',
        help='mixed precision; without a GPU bfloat16 or float32, and a note')
    parser.add_argument(
        '--amp-dtype',
        choices=['float16', 'bfloat16'],
        help='data type of --amp; default: float16')
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help='scale the learning rate to batch x GPUs x accumulation')
    parser.add_argument(
        '--schedule',
        type=float,
        metavar='FRACTION',
        help='train for this fraction of the epochs or iterations, 0.25 say; '
        'milestones move along, the warm-up stays where there is room')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override settings: train_dataloader.batch_size=64 '
        'key="[a,b]" key="[(a,b),(c,d)]"')
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
        train(
            args.config,
            work_dir=args.work_dir,
            resume=args.resume,
            amp=args.amp,
            amp_dtype=args.amp_dtype,
            auto_scale_lr=args.auto_scale_lr,
            schedule=args.schedule,
            cfg_options=args.cfg_options,
            launcher=args.launcher,
            resume_schedule=args.resume_schedule)


if __name__ == '__main__':
    main()
