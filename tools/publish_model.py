"""Publish the image encoder of a training checkpoint: saip-mm publish.

    python tools/publish_model.py work_dirs/saip/vit_tiny/epoch_300.pth \
        --name saip_vit-tiny_8xb256-amp-coslr-300e_lup1m

For clones that are not installed.
"""
import sys

from saip_mm.cli import main

if __name__ == '__main__':
    main(['publish', *sys.argv[1:]])
