"""Say how much better a training made the search for persons.

    python tools/knn_report.py configs/saip/demo.py work_dirs/demo

Beside chance, raw pixels and the model before training.
"""
import argparse

from mmengine.config import Config, DictAction

from saip_mm.apis import knn_report


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
    config = Config.fromfile(args.config)
    config.merge_from_dict(args.cfg_options or {})
    try:
        print(knn_report(config, args.work_dir))
    except (ValueError, OSError) as error:
        raise SystemExit(f'error: {error}') from error


if __name__ == '__main__':
    main()
