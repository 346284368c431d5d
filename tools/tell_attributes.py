"""Tell the attributes of pictures of persons: drawings, and a table.

    python tools/tell_attributes.py configs/attributes/pa100k/vit_tiny.py \
        work_dirs/attributes/pa100k/vit_tiny/epoch_30.pth PICTURES --out told

PICTURES are files or folders, one person a picture.
"""
import argparse

from mmengine.config import DictAction

from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='config of the training')
    parser.add_argument('checkpoint', help='of that training')
    parser.add_argument('pictures', nargs='+', help='files or folders')
    parser.add_argument('--out', default='told', help='folder; default: told')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_args()


def main():
    args = parse_args()
    with errors_in_a_line():
        from saip_mm.engine.config_doors import check_folder
        from saip_mm.tasks.attributes.predict import (predict_attributes,
                                                      write_predictions)
        check_folder(args.out, 'output folder')
        predicted = predict_attributes(
            args.config,
            args.checkpoint,
            args.pictures,
            options=args.cfg_options)
        written = write_predictions(predicted, args.out)
    print(f'{len(written) - 1} drawings, and {written[-1]}')


if __name__ == '__main__':
    main()
