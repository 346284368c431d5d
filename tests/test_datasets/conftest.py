import pytest

from saip_mm.datasets import FolderSource, pack_lmdb
from ._images import NAMES, write_tree


@pytest.fixture
def tree(tmp_path):
    """A folder of pictures of which every name sorts in its own way."""
    return write_tree(tmp_path / 'images', NAMES)


@pytest.fixture
def packed(tree, tmp_path):
    """Folder and LMDB of the same images."""
    pytest.importorskip('lmdb')
    out = str(tmp_path / 'packed')
    pack_lmdb(FolderSource(tree), out)
    return tree, out
