"""The command ``saip-mm``: one subcommand a module, over the package's
functions.

A module of a command has ``HELP`` (str), ``add_arguments(parser)`` and
``run(args)``. It is imported when its command, or the list of all, is asked
for.
"""
import argparse
import importlib
import sys
from typing import Dict, Optional, Sequence

from ..apis.command_line import one_line_errors
from ..engine.user_errors import errors_in_a_line
from ..version import __version__

# command: module
COMMANDS: Dict[str, str] = dict(
    pretrain='saip_mm.cli.pretrain',
    views='saip_mm.cli.views',
    features='saip_mm.cli.features',
    search='saip_mm.cli.search',
    patterns='saip_mm.cli.patterns',
    convert='saip_mm.cli.convert',
    publish='saip_mm.cli.publish',
    zoo='saip_mm.cli.zoo',
    export='saip_mm.cli.export',
)


def make_parser(asked: Optional[str] = None) -> argparse.ArgumentParser:
    """The command line.

    Args:
        asked (str, optional): The only command to be known. Defaults to None:
            all.
    """
    parser = argparse.ArgumentParser(
        prog='saip-mm',
        description='Pretrain small backbones on pictures of persons, and '
        'use them.',
        epilog='saip-mm COMMAND --help explains a command.')
    parser.add_argument('--version', action='version', version=__version__)
    parser.add_argument(
        '--traceback',
        action='store_true',
        help='show errors in full, for a report')
    commands = parser.add_subparsers(
        dest='command', metavar='COMMAND', required=True)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        module = importlib.import_module(COMMANDS[name])
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def main(argv: Optional[Sequence[str]] = None) -> None:
    """Run a command line.

    Args:
        argv (Sequence[str], optional): Defaults to the program's.

    Raises:
        SystemExit: With one line where the input is at fault.
    """
    argv = list(sys.argv[1:] if argv is None else argv)
    asked = next((word for word in argv if not word.startswith('-')), None)
    args = make_parser(asked).parse_args(argv)
    if args.traceback:
        args.run(args)
        return
    with one_line_errors(), errors_in_a_line():
        args.run(args)
