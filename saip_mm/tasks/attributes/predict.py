"""Attributes of pictures without labels, as drawings and as a table."""
import csv
import io
import os.path as osp
from typing import List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.fileio import get
from mmengine.utils import track_iter_progress

from mmpretrain.registry import MODELS, TRANSFORMS
from saip_mm.apis.config import load_config
from saip_mm.datasets.sources import walk_images
from saip_mm.datasets.transforms import decode_as_labelled
from saip_mm.engine.config_doors import check_folder
from saip_mm.weights import (load_weights, meta_of, read_checkpoint,
                             weights_of, write_file)
from .draw import draw_attributes

TABLE = 'attributes.csv'


class Predicted(NamedTuple):
    """What a model tells of pictures.

    Attributes:
        paths (list[str]): Of the N pictures.
        names (tuple[str]): Of the M attributes.
        scores (np.ndarray): ``(N, M)`` float32, probabilities.
    """
    paths: List[str]
    names: Tuple[str, ...]
    scores: np.ndarray


def find_pictures(places: Sequence[str]) -> List[str]:
    """Files as they are named, and all pictures of folders and those in them.

    Raises:
        FileNotFoundError: If a place does not exist, or a folder has none.
    """
    found: List[str] = []
    for place in map(osp.expanduser, places):
        if osp.isfile(place):
            found.append(place)
            continue
        if not osp.isdir(place):
            raise FileNotFoundError(f"'{place}' does not exist: name pictures "
                                    'or folders of them')
        names = sorted(walk_images(place))
        if not names:
            raise FileNotFoundError(f"'{place}' holds no pictures")
        found += [osp.join(place, name) for name in names]
    return found


@torch.no_grad()
def predict_attributes(config: str,
                       checkpoint: str,
                       places: Sequence[str],
                       batch: int = 32,
                       options: Optional[dict] = None) -> Predicted:
    """Tell attributes of pictures, one person each.

    Args:
        config (str): Config of a training.
        checkpoint (str): Of that training; names the attributes.
        places (Sequence[str]): Pictures, or folders of them.
        batch (int): Pictures at a time. Defaults to 32.
        options (dict, optional): Settings to override.

    Returns:
        Predicted: In the order of :func:`find_pictures`.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If the checkpoint is of another config, or names no
            attributes; if a picture is broken.
    """
    paths = find_pictures(places)
    config = load_config(config, options)
    model = MODELS.build(config.model)
    content = read_checkpoint(checkpoint)
    load_weights(model, weights_of(content), source=checkpoint)
    names = (meta_of(content).get('dataset_meta') or {}).get('classes')
    count = model.head.num_classes
    if not names or len(names) != count:
        raise ValueError(
            f'{checkpoint} names {len(names or ())} attributes, the head has '
            f'{count}: take a checkpoint as training left it')
    model.to('cuda' if torch.cuda.is_available() else 'cpu').eval()
    pipeline = Compose([
        TRANSFORMS.build(step)
        for step in config.test_dataloader.dataset.pipeline
    ])
    scores = []
    starts = range(0, len(paths), batch)
    for start in track_iter_progress(list(starts)):
        data = pseudo_collate([
            pipeline(dict(img_path=path))
            for path in paths[start:start + batch]
        ])
        scores += [s.pred_score.cpu().numpy() for s in model.test_step(data)]
    return Predicted(paths, tuple(names), np.stack(scores))


def write_predictions(predicted: Predicted, out_dir: str) -> List[str]:
    """Write a drawing a picture, and a table of probabilities.

    Args:
        predicted (Predicted): Of :func:`predict_attributes`.
        out_dir (str): Folder; made if missing. Drawings are numbered, so
            that equal names of two folders do not meet.

    Returns:
        list[str]: Paths written, the table last.

    Raises:
        OSError: If the folder cannot be written to.
    """
    check_folder(out_dir, 'output folder')
    written = []
    text = io.StringIO()
    table = csv.writer(text, lineterminator='\n')
    table.writerow(['image', *predicted.names])
    for number, (path,
                 scores) in enumerate(zip(predicted.paths, predicted.scores)):
        image = decode_as_labelled(get(path), None, path)[..., ::-1]
        sheet = draw_attributes(
            np.ascontiguousarray(image), predicted.names, scores)
        stem = osp.splitext(osp.basename(path))[0]
        written.append(osp.join(out_dir, f'{number:04d}_{stem}.png'))
        write_file(written[-1],
                   cv2.imencode('.png', sheet[..., ::-1])[1].tobytes())
        table.writerow([path, *(f'{score:.4f}' for score in scores)])
    written.append(osp.join(out_dir, TABLE))
    write_file(written[-1], text.getvalue().encode())
    return written
