"""Cut persons out of COCO-style annotated photographs (HP1M-like).

    python tools/dataset_converters/crop_persons.py \
        data/coco/annotations/person_keypoints_train2017.json \
        data/coco/train2017 data/hp1m coco --workers 8

Run it once for each data set; the paper's HP1M comes from seven.
"""
import argparse
import os.path as osp

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.prepare.person_crops import (HP1M_SIZE, CropOptions,
                                                   crop_persons)
from saip_mm.datasets.sources import walk_images


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('annotations', help='COCO-style JSON, train split')
    parser.add_argument('images', help='folder its file names belong to')
    parser.add_argument('out', help='folder to write')
    parser.add_argument('name', help='short name of the set: coco, aic, ...')
    default = CropOptions()
    parser.add_argument('--enlarge', type=float, default=default.enlarge)
    parser.add_argument('--min-height', type=float, default=default.min_height)
    parser.add_argument('--min-width', type=float, default=default.min_width)
    parser.add_argument(
        '--min-keypoints', type=int, default=default.min_keypoints)
    parser.add_argument(
        '--keypoint-enlarge', type=float, default=default.keypoint_enlarge)
    parser.add_argument('--quality', type=int, default=default.quality)
    parser.add_argument('--allow-eval-split', action='store_true')
    parser.add_argument('--workers', type=int, default=0)
    return parser.parse_args()


def main():
    args = parse_args()
    options = CropOptions(args.enlarge, args.min_height, args.min_width,
                          args.min_keypoints, args.keypoint_enlarge,
                          args.quality)
    report = crop_persons(args.annotations, args.images, args.out, args.name,
                          options, args.allow_eval_split, args.workers)
    for failure in report['broken'][:10]:
        print(f'\nbroken: {failure}', end='')
    if report['renamed']:
        print(
            f"\n{report['renamed']} annotation ids repeat: their files are "
            "named -2, -3, ...",
            end='')
    total = sum(1 for _ in walk_images(osp.expanduser(args.out)))
    print(f"\n{args.name}: {report['persons']} persons cut, left out "
          f"{report['refused']}, {len(report['broken'])} broken images\n"
          f'{args.out} now holds {total:,} of HP1M\'s {HP1M_SIZE:,}')


if __name__ == '__main__':
    with one_line_errors():
        main()
