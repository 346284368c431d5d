"""Count a download of Fashionpedia, published counts beside.

    python tools/dataset_converters/check_fashionpedia.py data/fashionpedia
"""
import argparse

from saip_mm.apis.command_line import one_line_errors
from saip_mm.tasks.part_attributes.download import ORIGIN, count_download


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=ORIGIN,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('root', help='folder of the data set')
    return parser.parse_args()


def main():
    counted = count_download(parse_args().root)
    print(counted.table(), *counted.notes, ORIGIN, sep='\n')
    if counted.problems:
        raise ValueError(f'{len(counted.problems)} problems: ' +
                         '; '.join(counted.problems))


if __name__ == '__main__':
    with one_line_errors():
        main()
