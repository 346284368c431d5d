"""What eight bits cost a search for persons: rank-1 before and after."""
import os.path as osp
import tempfile
from typing import Dict, Optional, Tuple

import torch
from torch import Tensor

from mmpretrain.registry import DATASETS
from saip_mm.evaluation import (RetrievalScores, extract_features,
                                retrieval_scores)
from saip_mm.weights.onnx_file import open_onnx
from saip_mm.weights.onnx_sidecar import read_sidecar
from .pictures import normalised

VECTORS = ('features', 'image')  # outputs by which persons are compared


def vector_of(sidecar: dict) -> Optional[str]:
    """The output of a file by which pictures are compared, None if none."""
    if sidecar['input'] is None:
        return None
    names = [output['name'] for output in sidecar['outputs']]
    return next((name for name in VECTORS if name in names), None)


def search_scores(path: str, root: str) -> RetrievalScores:
    """Search a data set by the vectors of an exported network.

    Args:
        path (str): Its file, with the sidecar beside it.
        root (str): Folder in Market-1501's layout.

    Raises:
        FileNotFoundError, ValueError: If the file or the set cannot be read,
            or the network gives no vectors of persons.
    """
    sidecar, content = read_sidecar(path)
    name = vector_of(sidecar)
    if name is None:
        raise ValueError(f'{path} gives no vectors of persons to search by')
    session = open_onnx(content)

    def encode(pictures: Tensor) -> Tensor:
        images = normalised(pictures.numpy(), sidecar)
        return torch.from_numpy(session.run([name], dict(images=images))[0])

    pipeline = [
        dict(type='DecodeImage', min_size=None),
        dict(type='NumpyToPIL'),
        dict(
            type='torchvision/Resize',
            size=tuple(sidecar['size']),
            interpolation='bilinear'),
        dict(type='PILToNumpy'),
        dict(type='PackPerson', input_key='img')
    ]
    sides = [
        extract_features(
            DATASETS.build(
                dict(
                    type='mmpretrain.MarketDataset',
                    data_root=root,
                    split=split,
                    pipeline=pipeline)),
            encode,
            batch_size=16) for split in ('query', 'gallery')
    ]
    return retrieval_scores(*sides[0], *sides[1])


def rank1_loss(path: str,
               eight_bit: str,
               root: Optional[str] = None) -> Dict[str, float]:
    """Rank-1 and mAP of a network in float and in eight bits.

    Args:
        path (str): The float file.
        eight_bit (str): The other.
        root (str, optional): Folder in Market-1501's layout. Defaults to
            None: persons rendered for it, 12 of them.

    Returns:
        dict: ``queries``, and ``rank1``, ``map``, ``rank1_int8``,
        ``map_int8`` and ``rank1_loss`` (float less eight bits), in [0, 1].
    """
    if root is not None:
        return _difference(*_both(path, eight_bit, osp.expanduser(root)))
    from saip_mm.synthetic.generate import write_dataset
    with tempfile.TemporaryDirectory() as folder:
        write_dataset(folder, ['market1501'], 'tiny', progress=False)
        root = osp.join(folder, 'market1501')
        return _difference(*_both(path, eight_bit, root))


def _both(path: str, eight_bit: str,
          root: str) -> Tuple[RetrievalScores, RetrievalScores]:
    return search_scores(path, root), search_scores(eight_bit, root)


def _difference(whole: RetrievalScores,
                eight_bit: RetrievalScores) -> Dict[str, float]:
    return dict(
        queries=whole.queries,
        rank1=whole.rank1,
        map=whole.map,
        rank1_int8=eight_bit.rank1,
        map_int8=eight_bit.map,
        rank1_loss=whole.rank1 - eight_bit.rank1)
