"""Search a folder of pictures by a picture, and draw the first answers.

    saip-mm search saip_vit.pth pictures/ --query person.jpg --out found.png
    saip-mm search saip_vit.pth pictures.npz --query persons/

Similar is what has a large cosine of image tokens.
"""
from saip_mm.apis.picture_search import (check_picture_name, draw_found,
                                         search_pictures)
from .features import add_reading_arguments, reading_options

HELP = 'search a folder of pictures by a picture'


def add_arguments(parser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        'model', help='checkpoint of a pretraining, or a published backbone')
    parser.add_argument(
        'gallery',
        help='folder to search in, or what saip-mm features wrote of it')
    parser.add_argument(
        '--query', required=True, help='picture to search by, or a folder')
    parser.add_argument('--out', default='search.png', help='picture to write')
    parser.add_argument('--top', type=int, default=10, help='answers')
    parser.add_argument('--num', type=int, default=8, help='queries drawn')
    add_reading_arguments(parser)


def run(args) -> None:
    """Search, print the answers to the queries drawn, and draw them."""
    check_picture_name(args.out)
    found = search_pictures(args.model, args.gallery, args.query, args.top,
                            **reading_options(args))
    for row in found[:args.num]:
        print(row.query)
        for path, cosine in zip(row.paths, row.cosines):
            print(f'  {cosine:.4f}  {path}')
    size = draw_found(found, args.out, args.num)
    print(f'{args.out}: {size[1]}x{size[0]} pixels, '
          f'{min(len(found), args.num)} of {len(found)} queries')
