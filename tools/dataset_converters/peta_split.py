"""Write which of PETA's pictures train, validate and test.

    python tools/dataset_converters/peta_split.py data/PETA
    python tools/dataset_converters/peta_split.py data/PETA --own

The first turns PETA-zs' split, dataset_zs_run0.pkl, into peta_zs_split.json,
without running what a pickle may hold. The second makes a split of your own
whose parts share no person, peta_own_split.json, for partition='own'; scores
on it are not PETA-zs'.
"""
import argparse
import os.path as osp

from saip_mm.apis.command_line import one_line_errors
from saip_mm.tasks.attributes.peta import read_peta
from saip_mm.tasks.attributes.peta_split import (OWN_FILE, PARTS,
                                                 ZERO_SHOT_FILES,
                                                 convert_split, make_own_split,
                                                 name_split, write_split)


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help='folder with PETA.mat')
    parser.add_argument(
        '--pickle', help=f'default: {ZERO_SHOT_FILES[1]} in the folder')
    parser.add_argument(
        '--own', action='store_true', help='make a split of your own')
    parser.add_argument(
        '--ratio',
        nargs=3,
        type=float,
        default=(3, 1, 1),
        help='of --own, persons to train, val, test; default: 3 1 1')
    parser.add_argument('--seed', type=int, default=0, help='of --own')
    return parser.parse_args()


def main():
    args = parse_args()
    root = osp.expanduser(args.root)
    file = read_peta(osp.join(root, 'PETA.mat'))
    if args.own:
        out = osp.join(root, OWN_FILE)
        split = make_own_split(file.pids, args.ratio, args.seed)
        write_split(
            split, out, 'own split', seed=args.seed, ratio=list(args.ratio))
    else:
        out = osp.join(root, ZERO_SHOT_FILES[0])
        pickle = args.pickle or osp.join(root, ZERO_SHOT_FILES[1])
        split = convert_split(osp.expanduser(pickle), out, file.pids)
    sizes = ', '.join(f'{part} {len(split[part])}' for part in PARTS)
    print(f'{out}: {name_split(split, file.pids, file.random)}; {sizes}')


if __name__ == '__main__':
    with one_line_errors():
        main()
