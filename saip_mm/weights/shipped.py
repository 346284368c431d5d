"""Where what comes with the package lies: configs, tools, the models' table.
"""
import os.path as osp
from typing import Optional

PACKAGE = osp.dirname(osp.dirname(osp.abspath(__file__)))
# of an installed package, and of a clone that is merely on the path
PLACES = (osp.join(PACKAGE, '.mim'), osp.dirname(PACKAGE))


def shipped_place(name: str) -> Optional[str]:
    """The folder in which something of that name is shipped.

    Args:
        name (str): Of a file, below that folder, such as
            ``configs/saip/vit_tiny.py``.

    Returns:
        str, optional: The folder; None where nothing of that name is there.
    """
    return next(
        (p for p in PLACES if osp.isfile(osp.join(p, *name.split('/')))), None)
