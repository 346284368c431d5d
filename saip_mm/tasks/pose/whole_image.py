"""Keypoints of person crops by a pose model, the whole picture as the box."""
import os.path as osp
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Optional

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.apis import init_model
from torch import nn

from saip_mm.datasets.transforms import BrokenImageError, decode_image

JOINTS = 17


def load_pose_model(config: str,
                    checkpoint: Optional[str],
                    device: str = 'cpu') -> nn.Module:
    """A top-down pose model of COCO's 17 joints, ready to use.

    Args:
        config (str): A config of mmpose, or of this project's pose task.
        checkpoint (str, optional): Its weights; None leaves random ones.
        device (str): Defaults to 'cpu'.

    Raises:
        FileNotFoundError: If one of the files is missing.
        ValueError: If it has other joints, or needs boxes of no kind.
    """
    for path in filter(None, (config, checkpoint)):
        if '://' not in path and not osp.isfile(osp.expanduser(path)):
            raise FileNotFoundError(f"'{path}' not found: a pose model needs "
                                    'its config and its checkpoint')
    model = init_model(config, checkpoint, device=device)
    joints = model.dataset_meta.get('num_keypoints')
    if joints != JOINTS:
        raise ValueError(f"'{config}' finds {joints} keypoints, wanted are "
                         "COCO's 17: take a model of COCO")
    return model


def points_by_model(model: nn.Module,
                    source: Any,
                    keys: Iterable[str],
                    batch_size: int = 32) -> Iterator[Optional[np.ndarray]]:
    """Find the keypoints of one person a picture.

    Args:
        model (nn.Module): Of :func:`load_pose_model`.
        source (ImageSource): Where the pictures are.
        keys (Iterable[str]): Which of them.
        batch_size (int): Pictures at a time. Defaults to 32.

    Yields:
        np.ndarray or None: ``(17, 3)``, x and y in the picture's pixels as
        it is shown, and score; None for a broken picture.
    """
    init_default_scope(model.cfg.get('default_scope', 'mmpose'))
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    rest = iter(keys)
    while True:
        some = list(islice(rest, batch_size))
        if not some:
            return
        yield from _batch(model, pipeline, [_read(source, k) for k in some])


def _read(source: Any, key: str) -> Optional[np.ndarray]:
    """A picture ``(H, W, 3)`` uint8, BGR as mmpose reads it."""
    try:
        return decode_image(source.read(key))[..., ::-1].copy()
    except (BrokenImageError, OSError):
        return None


@torch.no_grad()
def _batch(model: nn.Module, pipeline: Compose,
           images: List[Optional[np.ndarray]]) -> List[Optional[np.ndarray]]:
    whole = [
        pipeline(_whole_box(image, model.dataset_meta)) for image in images
        if image is not None
    ]
    found = iter(model.test_step(pseudo_collate(whole)) if whole else ())
    out: List[Optional[np.ndarray]] = []
    for image in images:
        if image is None:
            out.append(None)
            continue
        person = next(found).pred_instances
        out.append(
            np.concatenate(
                (person.keypoints[0], person.keypoint_scores[0][:, None]), 1))
    return out


def _whole_box(image: np.ndarray, meta: Dict[str, Any]) -> Dict[str, Any]:
    height, width = image.shape[:2]
    return dict(
        meta,
        img=image,
        bbox=np.array([[0, 0, width, height]], np.float32),
        bbox_score=np.ones(1, np.float32))
