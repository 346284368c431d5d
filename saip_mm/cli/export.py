"""Export a backbone or a task's network as ONNX, with what feeds it."""
import argparse
import logging
import os.path as osp
from typing import List, Optional

from mmengine.config import DictAction

HELP = 'write ONNX files for devices, checked against torch'
EXAMPLES = """
  saip-mm export backbone.pth                    a published backbone
  saip-mm export work_dirs/pose/.../epoch_9.pth  a task's network, its config
                                                 from the checkpoint
  saip-mm export CONFIG --checkpoint FILE --size 384 288
  saip-mm export reid.pth --tracker              NCHW in, one vector out
  saip-mm export reid.pth --int8 static --calibration DIR --rank1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.epilog = 'examples:' + EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument('what', help='a config, or a file of weights')
    parser.add_argument(
        '--checkpoint',
        help='weights of a config (default: '
        'the random start)')
    parser.add_argument('--out', help='NAME.onnx (default: named after what)')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help="of the input (default: the config's, or 256 128)")
    parser.add_argument(
        '--tracker',
        action='store_true',
        help="one input, normalised as ImageNet's, one vector of norm 1")
    parser.add_argument(
        '--tolerance',
        type=float,
        default=1e-4,
        help='of the deviation from torch (default: 1e-4)')
    parser.add_argument(
        '--int8',
        choices=('dynamic', 'static'),
        help='also an eight-bit version, NAME.int8.onnx, its error measured')
    parser.add_argument(
        '--calibration',
        metavar='DIR',
        help='pictures for --int8: half to calibrate, half to measure')
    parser.add_argument(
        '--rank1',
        nargs='?',
        const='',
        metavar='DIR',
        help='what --int8 costs a search in DIR, of Market-1501\'s layout '
        '(default: rendered persons)')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)


def run(args: argparse.Namespace) -> None:
    """Export, quantize, say what was measured.

    Raises:
        FileNotFoundError, ImportError, OSError, ValueError: As
            :func:`saip_mm.apis.edge.export_onnx` does, or if options
            contradict each other.
    """
    _check(args)
    from saip_mm.apis.edge import export_onnx
    logging.getLogger().setLevel(logging.WARNING)
    files = export_onnx(args.what, args.checkpoint, args.out, args.size,
                        args.tracker, args.tolerance, args.cfg_options)
    for file in files:
        print(file.path)
        for name, apart in file.deviations.items():
            print(f'  {name:12} from torch {apart.absolute:.1e}, largest '
                  f'value {apart.scale:.3g}')
    if args.int8:
        _quantize_all([file.path for file in files], args)


def _check(args: argparse.Namespace) -> None:
    """Refuse before the work what would be refused after it."""
    if args.int8 == 'static' and not args.calibration:
        raise ValueError('--int8 static needs --calibration DIR, a folder of '
                         'pictures such as the network will get')
    if not args.int8 and (args.calibration or args.rank1 is not None):
        raise ValueError('--calibration and --rank1 are for --int8 dynamic '
                         'or static')
    if not 0 < args.tolerance < 1:
        raise ValueError(f'--tolerance {args.tolerance} must lie between 0 '
                         'and 1')
    for name in ('calibration', 'rank1'):
        folder = getattr(args, name)
        if folder and not osp.isdir(osp.expanduser(folder)):
            raise FileNotFoundError(f"--{name} '{folder}' is no folder")


def _quantize_all(paths: List[str], args: argparse.Namespace) -> None:
    from saip_mm.apis.edge import takes, vector_of
    from saip_mm.weights.onnx_sidecar import read_sidecar
    sidecars = {path: read_sidecar(path)[0] for path in paths}
    vectors = {path for path in paths if vector_of(sidecars[path])}
    if args.rank1 is not None and not vectors:
        raise ValueError('--rank1 is for networks with a vector that compares '
                         'persons: leave it out; nothing was made eight-bit')
    for path in paths:
        kind = takes(sidecars[path])
        if kind == 'boxes':
            print(f'{path}: takes boxes of other files, stays in float')
        elif kind == 'sentences' and args.int8 == 'static':
            print(f'{path}: takes sentences, of which no folder can '
                  'calibrate it, stays in float')
        else:
            folder = args.calibration if kind == 'pictures' else None
            _quantize(path, folder, path in vectors, args)


def _quantize(path: str, folder: Optional[str], ranked: bool,
              args: argparse.Namespace) -> None:
    from saip_mm.apis.edge import note_in_sidecar, quantize_onnx, rank1_loss
    made = quantize_onnx(path, args.int8, None, folder)
    print(f'{made.path}: {args.int8}, on {made.pictures} of {made.of}')
    for name, error in made.errors.items():
        print(f'  {name:12} cosine {error.cosine:.5f}, worst '
              f'{error.worst_cosine:.5f}; largest difference '
              f'{error.absolute:.3g} of {error.largest_value:.3g}')
    if args.rank1 is not None and ranked:
        loss = rank1_loss(path, made.path, args.rank1 or None)
        note_in_sidecar(made.path, search=loss)
        print(f'  rank-1 {100 * loss["rank1"]:.1f} % -> '
              f'{100 * loss["rank1_int8"]:.1f} %, mAP '
              f'{100 * loss["map"]:.1f} % -> {100 * loss["map_int8"]:.1f} %, '
              f'{loss["queries"]} queries')
