"""Count how often a category has an attribute: KE-RCNN's knowledge matrix.

    python tools/dataset_converters/fashionpedia_knowledge.py \
        data/fashionpedia/instances_attributes_train2020.json

Configs look for the result beside the annotations. Count those of training.
"""
import argparse
import os.path as osp

from saip_mm.apis.command_line import one_line_errors
from saip_mm.tasks.part_attributes.knowledge import NORMS, write_knowledge

NAME = 'train_norm_attr_knowledge_matrix.npy'


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('ann_file', help='annotations of training, .json')
    parser.add_argument(
        '--out', help=f'.npy file; default: {NAME} beside ann_file')
    parser.add_argument(
        '--norm',
        choices=NORMS,
        default='category',
        help="category: share of a category's objects; row, col: sums of 1; "
        'binary: 0 or 1; log: of the counts')
    return parser.parse_args()


def main():
    args = parse_args()
    ann_file = osp.expanduser(args.ann_file)
    out = osp.expanduser(args.out or osp.join(osp.dirname(ann_file), NAME))
    note = write_knowledge(ann_file, out, args.norm)
    print(f"{out}: {note['pairs']} pairs of category and attribute, of "
          f"{note['objects']} objects")


if __name__ == '__main__':
    with one_line_errors():
        main()
