"""Convert a file of DINO, MAE, DeiT, timm or SAIP's release: saip-mm convert.

    python tools/model_converters/vit_to_mmpretrain.py checkpoint.pth out.pth \
        --branch teacher --grid 16 8

The older name of that command, and of its ``--which``.
"""
import sys

from saip_mm.cli import main

if __name__ == '__main__':
    main([
        'convert', *(word.replace('--branch', '--which', 1)
                     if word.startswith('--branch') else word
                     for word in sys.argv[1:])
    ])
