"""Try labels of one's own on a public set: its folder, its config, a run.

    python tools/own_labels.py lsp ~/lsp_dataset data/own/lsp --train
    python tools/own_labels.py penn_fudan ~/PennFudanPed data/own/penn_fudan

writes annotations in COCO's format, pictures and a config.py that inherits one
of configs/. With --train it is tested as it starts, trained for minutes and
tested again; the same by hand:
    python tools/train.py data/own/lsp/config.py
"""
import argparse
import os.path as osp

from saip_mm.apis import load_config, train
from saip_mm.apis.command_line import one_line_errors
from saip_mm.apis.config import build_runner
from saip_mm.datasets.prepare.own_labels import WRITERS

CONFIGS = osp.join(osp.dirname(osp.dirname(osp.abspath(__file__))), 'configs')


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', choices=WRITERS, help='which set')
    parser.add_argument('source', help='its folder, as published')
    parser.add_argument('out', help='folder to write')
    parser.add_argument('--num', type=int, help='so many pictures a split')
    parser.add_argument(
        '--train', action='store_true', help='test, train, test')
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def main():
    args = parse_args()
    config = WRITERS[args.name](args.source, args.out, CONFIGS, args.num)
    print(f'{config} is written; python tools/train.py {config}')
    if not args.train:
        return
    options = {'randomness.seed': args.seed}
    work_dir = osp.join(osp.dirname(config), 'work')
    cfg = load_config(config, options, osp.join(work_dir, 'start'))
    runner = build_runner(cfg)
    runner.model.init_weights()
    start = runner.test()
    end = train(config, work_dir, cfg_options=options).test()
    for name in sorted(start):
        print(f'{name}: {start[name]:.3f} at the start, {end[name]:.3f}')


if __name__ == '__main__':
    with one_line_errors():
        main()
