"""Build the parts of a pretraining config outside a training run."""
from pathlib import Path
from typing import Iterator, Optional, Tuple, Union

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch.utils.data import default_collate

from mmpretrain.registry import DATASETS, MODELS
from ..models.preprocessors import Views
from ..models.selfsup import SAIP, ViewPretraining
from ..visualization import draw
from ..weights import load_weights, read_checkpoint, weights_of, write_file
from .config import load_config
from .start_plan import check_count


def build_model(config: Config, checkpoint: Optional[str] = None) -> SAIP:
    """Build a config's model, with a checkpoint's weights or initialised.

    Raises:
        FileNotFoundError, ValueError: If the checkpoint cannot be read, or
            is not one of this config.
    """
    model = MODELS.build(config.model)
    if checkpoint is not None:
        weights = weights_of(read_checkpoint(checkpoint))
        load_weights(model, weights, source=checkpoint)
    else:
        model.init_weights()
    return model


def training_views(config: Config,
                   model: SAIP,
                   batches: int,
                   batch: Optional[int] = None,
                   seed: int = 0) -> Iterator[Views]:
    """Batches of views of random training images, as the model gets them.

    Args:
        config (Config): A pretraining config.
        model (SAIP): Of that config; makes the views on its device.
        batches (int): Number of batches; a small set is gone through again.
        batch (int, optional): Images a batch. Defaults to the config's.
        seed (int): Of the choice of images and of all draws.
    """
    dataset = DATASETS.build(config.train_dataloader.dataset)
    batch = batch or config.train_dataloader.batch_size
    order = np.random.default_rng(seed).permutation(len(dataset))
    torch.manual_seed(seed)
    for chosen in np.resize(order, (batches, batch)):
        data = default_collate([dataset[int(i)] for i in chosen])
        yield model.data_preprocessor(data, True)['views']


def _pretraining(config: Union[str, Config],
                 options: Optional[dict]) -> Config:
    config = load_config(config, options)
    model = MODELS.get(config.model.type)
    if not (isinstance(model, type) and issubclass(model, ViewPretraining)):
        raise ValueError(f'{config.filename} has a {config.model.type}: name '
                         'the config of a pretraining')
    return config


def model_and_views(
        config: Union[str, Config],
        checkpoint: Optional[str] = None,
        batches: int = 10,
        batch: Optional[int] = None,
        seed: int = 0,
        options: Optional[dict] = None) -> Tuple[SAIP, Iterator[Views]]:
    """A config's model, and training batches to try it on.

    Args:
        config (str | Config): A pretraining config.
        checkpoint (str, optional): Its checkpoint. Defaults to the random
            start.
        batches (int): Batches of training images. Defaults to 10.
        batch (int, optional): Images a batch. Defaults to the config's.
        seed (int): Of the weights' start, the choice of images and all draws.
        options (dict, optional): Changes to the config.

    Returns:
        tuple[SAIP, Iterator[Views]]: The model in training mode, on the GPU
        if there is one, and :func:`training_views` for it.

    Raises:
        ValueError: If the config is of no pretraining, or a number below 1.
    """
    check_count('batches', batches)
    if batch is not None:
        check_count('batch', batch)
    config = _pretraining(config, options)
    torch.manual_seed(seed)
    model = build_model(config, checkpoint)
    model.to('cuda' if torch.cuda.is_available() else 'cpu').train()
    return model, training_views(config, model, batches, batch, seed)


def draw_batch(what: str,
               config: Union[str, Config],
               checkpoint: Optional[str],
               out: str,
               num: int = 6,
               seed: int = 0,
               options: Optional[dict] = None) -> Tuple[int, int]:
    """Draw some images of a config's training set and save the picture.

    Args:
        what (str): 'views', 'reconstruction' or 'search'.
        config (str | Config): A pretraining config.
        checkpoint (str, optional): Its checkpoint.
        out (str): PNG file to write.
        num (int): Number of images, the rows of the picture.
        seed (int): Of the choice of images and of all draws.
        options (dict, optional): Changes to the config.

    Returns:
        tuple[int, int]: Height and width of the picture.
    """
    if not cv2.haveImageWriter(str(out)):
        raise ValueError(f'{out} is no picture file: end the name in .png')
    check_count('num', num)
    config = _pretraining(config, options)
    torch.manual_seed(seed)
    model = build_model(config, checkpoint)
    dataset = DATASETS.build(config.train_dataloader.dataset)
    order = np.random.default_rng(seed).permutation(len(dataset))[:num]
    picture = draw(what, model, [dataset[int(i)] for i in order], seed)
    content = cv2.imencode(Path(out).suffix, picture[..., ::-1])[1]
    write_file(out, content.tobytes())
    return picture.shape[:2]
