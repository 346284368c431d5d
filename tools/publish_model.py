"""Publish the image encoder of a training checkpoint.

    python tools/publish_model.py work_dirs/saip/vit_tiny/epoch_300.pth \
        --name saip_vit-tiny_8xb256-amp-coslr-300e_lup1m
"""
import argparse

from saip_mm.weights import publish_backbone


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Write the image encoder alone, as '
        '<name>_<date>-<first 8 digits of its SHA-256>.pth')
    parser.add_argument('checkpoint', help='training checkpoint')
    parser.add_argument(
        '--which',
        choices=['student', 'expert'],
        default='student',
        help='whose encoder (default: student, as SAIP does)')
    parser.add_argument(
        '--out-dir', default='.', help='folder to write to (default: here)')
    parser.add_argument(
        '--name', help="model name (default: the config's name)")
    parser.add_argument('--date', help='yyyymmdd (default: today)')
    parser.add_argument(
        '--semantic-weight',
        type=float,
        help="lambda of SOLIDER's, from 0 (looks) to 1 (parts) (default: 0.2)")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    try:
        published = publish_backbone(
            args.checkpoint,
            args.out_dir,
            args.which,
            args.name,
            args.date,
            semantic_weight=args.semantic_weight)
    except (FileNotFoundError, ValueError) as error:
        raise SystemExit(f'error: {error}')
    print(f'file        {published.path}\n'
          f'parameters  {published.parameters:,}\n'
          f'SHA-256     {published.sha256}')


if __name__ == '__main__':
    main()
