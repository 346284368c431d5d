"""``saip-mm zoo``: which weights there are, and having them here."""
import argparse
import fnmatch

from ..weights import zoo

HELP = 'list, show and fetch weights by model name'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.description = (
        f'{HELP}. A name serves wherever a checkpoint is named: '
        f'{zoo.SCHEME}NAME. {zoo.BASE}: a folder or address of weights of '
        f'your own; {zoo.CACHE}: where downloads are kept')
    actions = parser.add_subparsers(dest='action', required=True)
    listing = actions.add_parser('list', help='all names')
    listing.add_argument(
        'pattern', nargs='?', default='*', help="such as '*starnet*'")
    listing.add_argument(
        '--published',
        action='store_true',
        help='only those that have weights')
    for action, text in (('show', 'what is known of a model'),
                         ('fetch', 'download its weights, print their path')):
        actions.add_parser(
            action, help=text).add_argument(
                'name', metavar='NAME')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    if args.action == 'fetch':
        print(zoo.fetch(args.name))
    elif args.action == 'show':
        print('\n'.join(zoo.describe(zoo.find_model(args.name))))
    else:
        rows = zoo.list_models()
        for name in sorted(fnmatch.filter(rows, args.pattern)):
            if rows[name].weights or not args.published:
                print(f'{zoo.state_of(rows[name]):13}  {name}')
