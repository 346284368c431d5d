"""Write the file of image sizes that CrowdHuman does not come with.

    python tools/dataset_converters/crowdhuman_image_sizes.py \
        data/CrowdHuman/annotation_train.odgt data/CrowdHuman/Images

The data set makes it at its first use as well; made beforehand, training
starts at once, and the folder may be read-only.
"""
import argparse

from saip_mm.tasks.detection.image_sizes import measure_images, write_sizes
from saip_mm.tasks.detection.odgt import read_odgt, size_file_of


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('ann_file', help='.odgt file')
    parser.add_argument('images', help='folder of the pictures')
    parser.add_argument(
        '--out',
        help='file to write; default: id_hw_train.json or id_hw_val.json '
        'beside ann_file')
    return parser, parser.parse_args()


def main():
    parser, args = parse_args()
    try:
        out = size_file_of(args.ann_file, args.out)
        ids = [record['ID'] for record in read_odgt(args.ann_file)]
        write_sizes(measure_images(ids, args.images), out)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print(f'{out}: {len(ids)} pictures')


if __name__ == '__main__':
    main()
