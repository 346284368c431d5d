"""Features of a test set of persons, and pictures of what a search finds."""
import io
import os.path as osp
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.device import get_device
from mmengine.fileio import get
from mmengine.utils import track_iter_progress
from torch.utils.data import DataLoader, Dataset

from mmpretrain.registry import DATASETS, MODELS
from ..datasets.sources import walk_images
from ..datasets.transforms import BrokenImageError, decode_image
from ..evaluation.rerank import Reranking
from ..evaluation.retrieval import answers, cosine_of, no_match
from ..visualization import Ranked, draw_rankings
from ..weights import load_weights, read_checkpoint, weights_of, write_file
from .config import load_config


class SearchSet(NamedTuple):
    """Pictures to search by and in.

    Attributes:
        features (np.ndarray): ``(N, D)`` float32, of norm 1.
        pids, cams (np.ndarray): ``(N, )`` int64; of pictures of folders 0.
        is_query (np.ndarray): ``(N, )`` bool.
        paths (np.ndarray): ``(N, )`` str, files.
    """
    features: np.ndarray
    pids: np.ndarray
    cams: np.ndarray
    is_query: np.ndarray
    paths: np.ndarray


class FolderPictures(Dataset):
    """Pictures of two folders, of whom nothing is known.

    Args:
        query (str): Folder of who is searched for.
        gallery (str): Folder of where to search.
        pipeline (list): Transforms of a config's test set.

    Raises:
        FileNotFoundError: If a folder holds no picture.
        OSError: In use, if one cannot be read.
    """

    def __init__(self, query: str, gallery: str, pipeline: list) -> None:
        self.pipeline = Compose(pipeline)
        self.infos: List[dict] = []
        for is_query, folder in ((True, query), (False, gallery)):
            folder = osp.expanduser(folder)
            keys = sorted(walk_images(folder)) if osp.isdir(folder) else []
            if not keys:
                raise FileNotFoundError(f"'{folder}' holds no pictures")
            self.infos += [
                dict(
                    img_path=osp.join(folder, key),
                    pid=0,
                    camid=0,
                    is_query=is_query,
                    sample_idx=i) for i, key in enumerate(keys)
            ]

    def __len__(self) -> int:
        return len(self.infos)

    def __getitem__(self, index: int) -> dict:
        info = dict(self.infos[index])
        try:
            return self.pipeline(info)
        except BrokenImageError as error:
            raise OSError(
                f"cannot decode '{info['img_path']}': {error}") from error


@torch.no_grad()
def search_set(config: Union[str, Config],
               checkpoint: str,
               folders: Optional[Sequence[str]] = None,
               options: Optional[dict] = None) -> Tuple[SearchSet, Config]:
    """Features of a config's test set, or of two folders.

    Args:
        config (str | Config): A config of person search.
        checkpoint (str): Its weights.
        folders (Sequence[str], optional): Query and gallery, folders of
            pictures of any names. Defaults to None, the config's test set.
        options (dict, optional): Changes to the config.

    Returns:
        tuple[SearchSet, Config]: And the config as it was used.

    Raises:
        FileNotFoundError, ValueError: If the checkpoint cannot be read or is
            of another model, or a picture is missing.
    """
    cfg = load_config(config, options)
    model = MODELS.build(cfg.model)
    load_weights(
        model, weights_of(read_checkpoint(checkpoint)), source=checkpoint)
    model.to(get_device())
    model.train(False)
    loader = cfg.test_dataloader
    if folders is None:
        dataset = DATASETS.build(loader.dataset)
    else:
        dataset = FolderPictures(*folders, loader.dataset.pipeline)
    batches = DataLoader(
        dataset,
        loader.batch_size,
        num_workers=loader.get('num_workers', 0),
        collate_fn=pseudo_collate)
    found = []
    for batch in track_iter_progress((iter(batches), len(batches))):
        found += [(s.feature.float().cpu().numpy(), s.pid, s.camid,
                   bool(s.is_query), s.img_path)
                  for s in model.test_step(batch)]
    return SearchSet(*map(np.array, zip(*found))), cfg


def check_outputs(picture: str, features: Optional[str] = None) -> None:
    """Refuse names of files before minutes are spent on what goes there.

    Raises:
        ValueError: If they end in something else than a picture's, ``.npz``.
    """
    if not cv2.haveImageWriter(str(picture)):
        raise ValueError(f'{picture} is no picture file: end the name in .png')
    if features and not str(features).endswith('.npz'):
        raise ValueError(f'{features} is no file of arrays: end the name in '
                         '.npz')


def rerank_of(cfg: Config) -> Optional[dict]:
    """Settings of re-ranking of a config's test; None if it has none.

    Example:
        >>> rerank_of(Config(dict(test_evaluator=[
        ...     dict(type='PersonRetrievalMetric', rerank=True)])))
        {}
    """
    metrics = cfg.test_evaluator
    for metric in metrics if isinstance(metrics, list) else [metrics]:
        rerank = metric.get('rerank', False)
        if rerank is not False:
            return {} if rerank is True else dict(rerank)
    return None


def save_features(found: SearchSet, out: str) -> None:
    """Write a search set to an ``.npz`` file of its arrays.

    Raises:
        ValueError: If the name ends otherwise.
    """
    check_outputs('.png', out)
    content = io.BytesIO()
    np.savez(content, **found._asdict())
    write_file(out, content.getvalue())


def draw_search_results(found: SearchSet,
                        out: str,
                        num: int = 8,
                        top: int = 10,
                        seed: int = 0,
                        known: bool = True,
                        rerank: Optional[dict] = None) -> Tuple[int, int]:
    """Draw some queries with their first answers.

    As in the test, pictures of the same person by the same camera are left
    out of the answers, and so are queries without a right answer.

    Args:
        found (SearchSet): Pictures and features.
        out (str): PNG file to write.
        num (int): Queries, the rows. Defaults to 8.
        top (int): Answers. Defaults to 10.
        seed (int): Of the choice of queries. Defaults to 0.
        known (bool): Whether it is known who is on the pictures. Defaults to
            True.
        rerank (dict, optional): Settings of ``Reranking``. Defaults to None,
            by cosine similarity.

    Returns:
        tuple[int, int]: Height and width of the picture.

    Raises:
        ValueError: If the name of the file is that of no picture, or no query
            has a right answer.
    """
    check_outputs(out)
    asks = torch.from_numpy(found.is_query)
    sides = [[torch.from_numpy(column)[side] for column in found[:3]]
             for side in (asks, ~asks)]
    (query, pids, cams), (gallery, gallery_pids, gallery_cams) = sides
    similar = (
        cosine_of(query, gallery) if rerank is None else Reranking(
            query, gallery, **rerank).similarity)
    chosen = []
    # one by one: all pairs of MSMT17's pictures take gigabytes
    for index in np.random.default_rng(seed).permutation(len(query)).tolist():
        right, wrong = (
            side[0] for side in answers(pids[[index]], cams[[index]],
                                        gallery_pids, gallery_cams))
        if not known:
            right, wrong = torch.zeros_like(right), torch.ones_like(wrong)
        if right.any() or not known:
            chosen.append((index, right, wrong))
        if len(chosen) == num:
            break
    if not chosen:
        raise ValueError(
            no_match(
                len(query), len(gallery),
                len(torch.cat((cams, gallery_cams)).unique())))
    paths = found.paths[found.is_query], found.paths[~found.is_query]
    rows = []
    for index, right, wrong in sorted(chosen, key=lambda row: row[0]):
        scores = similar(torch.tensor([index]))[0]
        scores[~(right | wrong)] = -torch.inf
        best = scores.argsort(descending=True)[:top]
        best = best[scores[best] > -torch.inf].tolist()
        name = osp.basename(paths[0][index])
        rows.append(
            Ranked(
                _read(paths[0][index]), [_read(paths[1][i]) for i in best],
                [bool(right[i]) if known else None for i in best], name))
    picture = draw_rankings(rows)
    content = cv2.imencode(osp.splitext(out)[1], picture[..., ::-1])[1]
    write_file(out, content.tobytes())
    return picture.shape[:2]


def _read(path: str) -> np.ndarray:
    return decode_image(get(str(path)))
