"""Say how much better a training made the search for persons.

    python tools/knn_report.py configs/saip/demo.py work_dirs/demo

Beside chance, raw pixels and the model before training.
"""
import argparse

from mmengine.config import DictAction

from saip_mm.apis import knn_report
from saip_mm.apis.command_line import one_line_errors


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='with the k-NN monitor')
    parser.add_argument('work_dir', help='of a training with this config')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        help='those of the training')
    return parser.parse_args()


def main():
    args = parse_args()
    with one_line_errors():
        print(knn_report(args.config, args.work_dir, args.cfg_options))


if __name__ == '__main__':
    main()
