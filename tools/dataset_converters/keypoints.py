"""Make the keypoint file that HAP masks by.

    python tools/dataset_converters/keypoints.py data/luperson \
        data/luperson/keypoints.npy --keys lup1m.txt --npy LUPerson-pose
    ... --coco results.json --images images.json
    ... --mmpose CONFIG CHECKPOINT --device cuda

Rendered people have theirs already.
"""
import argparse

from mmengine.utils import track_iter_progress

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.keypoint_file import write_keypoints
from saip_mm.datasets.prepare.keypoint_sources import (points_of_coco,
                                                       points_of_folder)
from saip_mm.datasets.prepare.output import check_writable
from saip_mm.datasets.sources import build_source


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        'source', help='folder tree, or folder with an LMDB or tar shards')
    parser.add_argument('out', help='.npy to write; its keys go to a .txt')
    parser.add_argument(
        '--keys', default='', help='only these; path relative to SOURCE')
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument(
        '--npy', metavar='FOLDER', help='one .npy a picture, of its name')
    where.add_argument(
        '--coco', metavar='JSON', help='results in COCO\'s form')
    where.add_argument(
        '--mmpose',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help='run a top-down model, the whole picture as the box')
    parser.add_argument(
        '--images', metavar='JSON', help='names of the ids of --coco')
    parser.add_argument('--device', default='cpu', help='of --mmpose')
    parser.add_argument('--batch-size', type=int, default=32)
    parser.add_argument(
        '--dtype', choices=['float16', 'float32'], default='float16')
    return parser.parse_args()


def points_of(args, source):
    """Keypoints of the source's pictures, in their order."""
    if args.npy:
        return points_of_folder(args.npy, source.keys)
    if args.coco:
        return points_of_coco(args.coco, args.images, source.keys)
    from saip_mm.tasks.pose.whole_image import load_pose_model, points_by_model
    model = load_pose_model(*args.mmpose, device=args.device)
    return points_by_model(model, source, source.keys, args.batch_size)


def main():
    args = parse_args()
    source = build_source(args.source, args.keys)
    check_writable(args.out)
    points = track_iter_progress((points_of(args, source), len(source.keys)))
    count, filled = write_keypoints(args.out, source.keys, points, args.dtype)
    print(f'\n{filled} of {count} pictures have keypoints in {args.out}')
    if not filled:
        print('Warning: none has. Are the names those of the pictures?')


if __name__ == '__main__':
    with one_line_errors():
        main()
