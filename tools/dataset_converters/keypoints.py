"""Make the keypoint file that HAP masks by.

    python tools/dataset_converters/keypoints.py data/luperson \
        data/luperson/keypoints.npy --keys lup1m.txt --npy LUPerson-pose
    ... --coco results.json --images images.json
    ... --mmpose CONFIG CHECKPOINT --device cuda

The model's are kept in OUT.unfinished as they are found: a run that was cut
goes on where it was. Rendered people have theirs already.
"""
import argparse
import os.path as osp
from hashlib import sha256

from mmengine.utils import track_iter_progress

from saip_mm.apis.command_line import one_line_errors
from saip_mm.datasets.keypoint_file import write_keypoints
from saip_mm.datasets.prepare.keypoint_journal import KeypointJournal
from saip_mm.datasets.prepare.keypoint_sources import (points_of_coco,
                                                       points_of_folder)
from saip_mm.datasets.prepare.output import check_writable
from saip_mm.datasets.sources import build_source
from saip_mm.weights import file_sha256


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


def by_model(args, source):
    """A journal, and what finds the rows that it lacks."""
    from saip_mm.tasks.pose.whole_image import load_pose_model, points_by_model
    config, checkpoint = args.mmpose
    model = load_pose_model(config, checkpoint, device=args.device)
    journal = KeypointJournal(
        args.out,
        source.keys,
        config=sha256(model.cfg.pretty_text.encode()).hexdigest()[:16],
        checkpoint=(file_sha256(checkpoint) if osp.isfile(
            osp.expanduser(checkpoint)) else checkpoint))

    def find(start):
        rest = source.keys.select(slice(start, None))
        return points_by_model(model, source, rest, args.batch_size)

    return journal, find


def main():
    args = parse_args()
    source = build_source(args.source, args.keys)
    check_writable(args.out)
    journal = None
    if args.npy is not None:
        points = points_of_folder(args.npy, source.keys)
    elif args.coco is not None:
        points = points_of_coco(args.coco, args.images, source.keys)
    else:
        journal, find = by_model(args, source)
        points = journal.rows(find)
    points = track_iter_progress((points, len(source.keys)))
    count, filled = write_keypoints(args.out, source.keys, points, args.dtype)
    if journal is not None:
        journal.remove()
    print(f'\n{filled} of {count} pictures have keypoints in {args.out}')
    if not filled:
        print('Warning: none has. Are the names those of the pictures?')


if __name__ == '__main__':
    with one_line_errors():
        main()
