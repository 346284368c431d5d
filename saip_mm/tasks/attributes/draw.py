import os.path as osp
from typing import Optional, Sequence

import cv2
import numpy as np
from mmengine.fileio import get
from mmengine.hooks import Hook
from PIL import Image, ImageDraw, ImageFont

from mmpretrain.registry import HOOKS
from saip_mm.datasets.transforms import decode_as_labelled

LINE, GAP, BAR = 16, 6, 60  # pixels: a line, a gap, a bar of probability 1
BLACK, GREY, GREEN, RED = (0, 0, 0), (150, 150, 150), (0, 130, 0), (200, 0, 0)


def draw_attributes(image: np.ndarray,
                    names: Sequence[str],
                    scores: np.ndarray,
                    labels: Optional[np.ndarray] = None,
                    thr: float = 0.5) -> np.ndarray:
    """Draw a person with the attributes beside it, a line each.

    A line has the probability as a bar and in per cent, and the name: black
    where the attribute is told to be there, else grey. With labels it is
    green where it is told rightly to be there, red where it is told wrongly,
    with '+' where the person has it and '-' where it has not.

    Args:
        image (np.ndarray): ``(H, W, 3)`` uint8, RGB.
        names (Sequence[str]): Of the M attributes.
        scores (np.ndarray): ``(M, )`` probabilities.
        labels (np.ndarray, optional): ``(M, )``: 1, 0, or -1 where nobody
            said. Defaults to None.
        thr (float): An attribute is told to be there above it. Defaults to
            0.5.

    Returns:
        np.ndarray: ``(H', W', 3)`` uint8, RGB, on white.
    """
    font = ImageFont.load_default(size=LINE - 4)
    height = LINE * len(names) + 2 * GAP
    width = max(round(image.shape[1] * height / image.shape[0]), 1)
    person = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    left = width + GAP
    text = left + BAR + GAP + 34
    longest = max(font.getlength(f'{name} +') for name in names)
    sheet = Image.new('RGB', (int(text + longest) + 2 * GAP, height), 'white')
    sheet.paste(Image.fromarray(person), (0, 0))
    draw = ImageDraw.Draw(sheet)
    for place, (name, score) in enumerate(zip(names, scores)):
        label = None if labels is None else float(labels[place])
        colour, mark = _look(float(score) > thr, label)
        top = GAP + LINE * place
        draw.rectangle((left, top + 3, left + BAR, top + LINE - 4),
                       outline=GREY)
        draw.rectangle(
            (left, top + 3, left + round(BAR * float(score)), top + LINE - 4),
            fill=colour)
        draw.text((left + BAR + GAP, top), f'{100 * float(score):3.0f}%',
                  colour, font)
        draw.text((text, top), f'{name}{mark}', colour, font)
    return np.asarray(sheet)


def _look(told: bool, label: Optional[float]) -> tuple:
    """Colour of a line, and the mark of what is labelled."""
    if label is None or label < 0:
        return (BLACK if told else GREY), ''
    right = told == (label > 0.5)
    mark = ' +' if label > 0.5 else ' -' if not right else ''
    if not right:
        return RED, mark
    return (GREEN if told else GREY), mark


@HOOKS.register_module()
class AttributeDrawHook(Hook):
    """Draws pictures with what the model tells of them, see
    :func:`draw_attributes`.

    Args:
        draw (bool): Whether to. Defaults to False.
        interval (int): Of every so many pictures the first is drawn, in tests
            and in validation. Defaults to 50.
    """

    def __init__(self, draw: bool = False, interval: int = 50) -> None:
        self.draw = draw
        self.interval = interval
        self._seen = 0

    def before_val_epoch(self, runner) -> None:
        """Count anew."""
        self._seen = 0

    before_test_epoch = before_val_epoch

    def after_val_iter(self, runner, batch_idx, data_batch, outputs) -> None:
        """Draw, as ``val_<name>``, with the step of training."""
        self._draw(runner, 'val', outputs, runner.val_dataloader, runner.iter)

    def after_test_iter(self, runner, batch_idx, data_batch, outputs) -> None:
        """Draw, as ``test_<name>``."""
        self._draw(runner, 'test', outputs, runner.test_dataloader, 0)

    def _draw(self, runner, mode: str, outputs: Sequence, loader,
              step: int) -> None:
        names = loader.dataset.metainfo['classes'] if self.draw else ()
        for sample in outputs if self.draw else ():
            self._seen += 1
            if (self._seen - 1) % self.interval:
                continue
            path = sample.img_path
            image = decode_as_labelled(get(path), None, path)[..., ::-1]
            sheet = draw_attributes(
                np.ascontiguousarray(image), names,
                sample.pred_score.cpu().numpy(),
                sample.gt_score.cpu().numpy()
                if 'gt_score' in sample else None)
            runner.visualizer.add_image(
                f'{mode}_{osp.splitext(osp.basename(path))[0]}', sheet, step)
