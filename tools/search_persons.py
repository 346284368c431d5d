"""Draw whom a search for persons finds, right and wrong answers framed.

    python tools/search_persons.py CONFIG CHECKPOINT --out top_ten.png
    python tools/search_persons.py CONFIG CHECKPOINT --features test.npz
    python tools/search_persons.py CONFIG CHECKPOINT \\
        --query FOLDER --gallery FOLDER

Of the config's test set, or of pictures of any names in two folders.
"""
import argparse

from mmengine.config import DictAction

from saip_mm.apis.person_search import (check_outputs, draw_search_results,
                                        rerank_of, save_features, search_set)
from saip_mm.engine.user_errors import errors_in_a_line


def parse_args():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config', help='of configs/reid')
    parser.add_argument('checkpoint', help='of that config')
    parser.add_argument('--query', help='folder of who is searched for')
    parser.add_argument('--gallery', help='folder of where to search')
    parser.add_argument('--out', default='top_ten.png', help='picture file')
    parser.add_argument(
        '--features', help='.npz file to write all features to, too')
    parser.add_argument('--num', type=int, default=8, help='queries (rows)')
    parser.add_argument('--top', type=int, default=10, help='answers')
    parser.add_argument('--seed', type=int, default=0, help='of the choice')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    args = parser.parse_args()
    if bool(args.query) != bool(args.gallery):
        parser.error('--query and --gallery go together')
    return args


def main():
    args = parse_args()
    folders = (args.query, args.gallery) if args.query else None
    with errors_in_a_line():
        check_outputs(args.out, args.features)
        found, cfg = search_set(args.config, args.checkpoint, folders,
                                args.cfg_options)
        size = draw_search_results(
            found,
            args.out,
            args.num,
            args.top,
            args.seed,
            known=folders is None,
            rerank=rerank_of(cfg))
        if args.features:
            save_features(found, args.features)
            print(f'{args.features}: {len(found.paths)} pictures')
    print(f'{args.out}: {size[1]}x{size[0]} pixels')


if __name__ == '__main__':
    main()
