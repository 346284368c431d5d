"""Describe a person, get the nearest pictures."""
from pathlib import Path
from typing import List, Optional, Sequence, Union

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.dataset import Compose
from torch import Tensor

from mmpretrain.registry import DATASETS, TRANSFORMS
from saip_mm.apis.config import load_config
from saip_mm.apis.inspect import build_model
from saip_mm.datasets.sources import walk_images
from saip_mm.datasets.transforms import BrokenImageError, decode_image
from saip_mm.weights import write_file
from .answer_sheet import Answers, answer_sheet

BATCH = 64  # pictures encoded at once


class PersonFinder:
    """A gallery that sentences are asked of.

    Args:
        config (Config): Of search by text; its test pipeline is taken.
        checkpoint (str, optional): Its checkpoint. Defaults to None: the
            start of a training.
    """

    def __init__(self, config: Config, checkpoint: Optional[str]) -> None:
        self.model = build_model(config, checkpoint).eval()
        self.device = 'cuda' if torch.cuda.is_available() else 'cpu'
        self.model.to(self.device)
        steps = config.test_dataloader.dataset.pipeline
        self.pipeline = Compose([TRANSFORMS.build(step) for step in steps])
        self.paths: List[str] = []
        self.pids: List[Optional[int]] = []
        self.features = torch.zeros(0)

    def add(self, paths: Sequence[str], pids: Sequence[Optional[int]]) -> None:
        """Encode pictures into the gallery.

        Args:
            paths (Sequence[str]): Their files.
            pids (Sequence[int | None]): Who is shown, None where unknown.

        Raises:
            OSError: If one cannot be read; names it.
        """
        if not paths:
            return
        parts = [self.features] * bool(self.paths)
        for start in range(0, len(paths), BATCH):
            parts.append(self._encode(paths[start:start + BATCH]))
        self.features = torch.cat(parts)
        self.paths += paths
        self.pids += pids

    @torch.no_grad()
    def _encode(self, paths: Sequence[str]) -> Tensor:
        samples = [self._load(path) for path in paths]
        data = {
            key: [sample[key] for sample in samples]
            for key in ('inputs', 'data_samples')
        }
        images = self.model.data_preprocessor(data, False)['images']
        return F.normalize(self.model.encode_images(images)[:, 0]).cpu()

    def _load(self, path: str) -> dict:
        try:
            return self.pipeline(
                dict(
                    img_path=path, captions=[], pid=-1, record=0,
                    sample_idx=0))
        except BrokenImageError as error:
            raise OSError(f"cannot decode '{path}': {error}") from error

    @torch.no_grad()
    def find(self,
             texts: Sequence[str],
             top: int = 10,
             pids: Optional[Sequence[int]] = None) -> List[Answers]:
        """The pictures most similar to each sentence.

        Args:
            texts (Sequence[str]): Sentences.
            top (int): Pictures a sentence. Defaults to 10.
            pids (Sequence[int], optional): Who is described. Defaults to
                None: nobody knows.

        Raises:
            ValueError: If a sentence is empty, or the gallery.
        """
        if not self.paths:
            raise ValueError('there is no picture to be searched: look at '
                             'the folder, or at the data set')
        vectors = F.normalize(self.model.encode_captions(texts)).cpu()
        similar = vectors @ self.features.T
        order = similar.argsort(dim=1, descending=True, stable=True)[:, :top]
        found = []
        for row, text in enumerate(texts):
            places = order[row].tolist()
            right = None
            if pids is not None:
                right = [self.pids[place] == pids[row] for place in places]
            found.append(
                Answers(text, [self.paths[place] for place in places],
                        similar[row, places].tolist(), right))
        return found


def find_persons(config: Union[str, Config],
                 checkpoint: Optional[str],
                 out: str,
                 texts: Sequence[str] = (),
                 folder: Optional[str] = None,
                 num: int = 6,
                 top: int = 10,
                 seed: int = 0,
                 options: Optional[dict] = None) -> List[Answers]:
    """Search for what sentences say, and save a picture of the answers.

    Args:
        config (str | Config): Of search by text.
        checkpoint (str, optional): Its checkpoint.
        out (str): PNG file to write.
        texts (Sequence[str]): Sentences. Defaults to none: ``num`` of the
            captions of the test split, drawn, whose answers are known.
        folder (str, optional): Pictures to search, and those of its folders.
            Defaults to None: those of the test split.
        num (int): Captions drawn. Defaults to 6.
        top (int): Pictures a sentence. Defaults to 10.
        seed (int): Of what is drawn. Defaults to 0.
        options (dict, optional): Changes to the config.

    Returns:
        list[Answers]: In the order of the sentences.

    Raises:
        FileNotFoundError, OSError: If a file or folder cannot be read.
        ValueError: If ``out`` is no picture file, or there is nothing to
            search or to ask.
    """
    if not cv2.haveImageWriter(str(out)):
        raise ValueError(f'{out} is no picture file: end the name in .png')
    if folder and not texts:
        raise ValueError('a folder has no captions to draw from: give --text')
    config = load_config(config, options)
    finder = PersonFinder(config, checkpoint)
    infos = [] if folder else _test_set(config)
    if folder:
        if not Path(folder).expanduser().is_dir():
            raise FileNotFoundError(f"there is no folder '{folder}'")
        root = Path(folder).expanduser()
        paths = [str(root / key) for key in walk_images(str(root))]
        finder.add(paths, [None] * len(paths))
    else:
        finder.add([info['img_path'] for info in infos],
                   [info['pid'] for info in infos])
    pids = None
    if not texts:
        texts, pids = _drawn(infos, num, seed)
    answers = finder.find(texts, top, pids)
    pictures = [[_picture(path) for path in row.paths] for row in answers]
    sheet = answer_sheet(answers, pictures)
    content = cv2.imencode(Path(out).suffix, sheet[..., ::-1])[1]
    write_file(out, content.tobytes())
    return answers


def _test_set(config: Config) -> List[dict]:
    dataset = DATASETS.build(config.test_dataloader.dataset)
    return [dataset.get_data_info(n) for n in range(len(dataset))]


def _drawn(infos: List[dict], num: int, seed: int) -> tuple:
    """Captions and who is described, drawn from all."""
    pairs = [(text, info['pid']) for info in infos
             for text in info['captions']]
    if not pairs:
        raise ValueError('the test split has no captions: give --text')
    order = np.random.default_rng(seed).permutation(len(pairs))[:num]
    texts, pids = zip(*[pairs[int(n)] for n in order])
    return list(texts), list(pids)


def _picture(path: str) -> np.ndarray:
    with open(path, 'rb') as file:
        return decode_image(file.read())
