"""Photometric augmentation of a whole batch, one draw an image.

Brightness, contrast, saturation, hue and grayscale are all affine in RGB, so
any chain of them is one 3x3 matrix and one offset an image. The chain is
multiplied out on 3x3 matrices and the pixels are touched once, normalisation
to mean and standard deviation included.
"""
import itertools
import math
from typing import NamedTuple, Sequence, Tuple

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

# ITU-R 601-2 luma, as Pillow and torchvision convert to grayscale
LUMA = (0.299, 0.587, 0.114)
# RGB -> YIQ (NTSC); hue turns the I-Q plane and leaves luma as it is
RGB_TO_YIQ = (LUMA, (0.595716, -0.274453, -0.321263), (0.211456, -0.522591,
                                                       0.311135))
CACHED_VALUES = 3 * 256 * 128  # worked on at a time on CPU
OPS = 4  # brightness, contrast, saturation, hue
ORDERS = tuple(itertools.permutations(range(OPS)))


class ColourDraw(NamedTuple):
    """One draw of colour jitter and grayscale for each of B images.

    Attributes:
        factors (Tensor): ``(B, 4)`` float; brightness, contrast and
            saturation as factors, hue in turns (0.1 = 36 degrees). Images
            which are not jittered hold 1, 1, 1, 0.
        order (Tensor): ``(B, 4)`` int64; the op applied first, second, ...
        gray (Tensor): ``(B,)`` bool; converted to grayscale at the end.
    """
    factors: Tensor
    order: Tensor
    gray: Tensor


def draw_colour(batch: int,
                jitter: Sequence[float] = (0.4, 0.4, 0.2, 0.1),
                jitter_prob: float = 0.8,
                gray_prob: float = 0.2) -> ColourDraw:
    """Draw colour jitter and grayscale, in law as torchvision's transforms.

    Args:
        batch (int): Number of images B.
        jitter (Sequence[float]): Half widths for brightness, contrast and
            saturation (factor in [1 - j, 1 + j]) and hue (turns in [-j, j]).
        jitter_prob (float): Probability that an image is jittered at all.
        gray_prob (float): Probability of grayscale.

    Returns:
        ColourDraw: On CPU, from torch's global generator.
    """
    width = torch.tensor(jitter)
    neutral = torch.tensor([1., 1., 1., 0.])
    factors = neutral + (torch.rand(batch, OPS) * 2 - 1) * width
    factors[:, :3].clamp_(min=0)
    jittered = torch.rand(batch, 1) < jitter_prob
    factors = torch.where(jittered, factors, neutral)
    order = torch.tensor(ORDERS)[torch.randint(len(ORDERS), (batch, ))]
    return ColourDraw(factors, order, torch.rand(batch) < gray_prob)


def _op_matrices(factors: Tensor) -> Tensor:
    """``(B, 4)`` factors -> ``(B, 4, 3, 3)`` linear part of each op."""
    eye = torch.eye(3).to(factors)
    gray = torch.tensor(LUMA).to(factors).expand(3, 3)
    bright, contrast, saturation, hue = factors[:, :, None, None].unbind(1)
    angle = hue * (2 * math.pi)
    to_yiq = torch.tensor(RGB_TO_YIQ).to(factors)
    luma_axis = torch.diag(torch.tensor([1., 0., 0.])).to(factors)
    plane = torch.diag(torch.tensor([0., 1., 1.])).to(factors)
    quarter = torch.tensor([[0., 0., 0.], [0., 0., -1.], [0., 1.,
                                                          0.]]).to(factors)
    turn = luma_axis + plane * angle.cos() + quarter * angle.sin()
    return torch.stack([
        bright * eye, contrast * eye, saturation * eye +
        (1 - saturation) * gray,
        torch.linalg.inv(to_yiq) @ turn @ to_yiq
    ], 1)


def compose_colour(draw: ColourDraw, channel_means: Tensor) -> Tuple:
    """Multiply a draw's chain of ops out to one affine map an image.

    Contrast mixes in the mean grey of what it gets; the mean of an affine
    image is the affine image of the mean, so the chain needs the channel
    means of the untouched image only.

    Args:
        draw (ColourDraw): The draw for B images.
        channel_means (Tensor): ``(B, 3)`` float in [0, 1].

    Returns:
        tuple[Tensor, Tensor]: Matrix ``(B, 3, 3)`` and offset ``(B, 3)``.
    """
    rows = torch.arange(len(channel_means))
    ops = _op_matrices(draw.factors)
    luma = torch.tensor(LUMA).to(channel_means)
    matrix = torch.eye(3).to(channel_means).repeat(len(rows), 1, 1)
    offset = torch.zeros_like(channel_means)
    for step in range(OPS):
        which = draw.order[:, step]
        op = ops[rows, which]
        mean = (matrix @ channel_means[:, :, None])[..., 0] + offset
        pull = (1 - draw.factors[:, 1]) * (mean @ luma) * (which == 1)
        matrix = op @ matrix
        offset = (op @ offset[:, :, None])[..., 0] + pull[:, None]
    to_gray = torch.where(draw.gray[:, None, None], luma.expand(3, 3),
                          torch.eye(3).to(luma))
    return to_gray @ matrix, (to_gray @ offset[:, :, None])[..., 0]


def normalising_maps(draw: ColourDraw, channel_means: Tensor,
                     mean: Sequence[float],
                     std: Sequence[float]) -> Tuple[Tensor, Tensor]:
    """Affine maps from 0-255 pixels to jittered, normalised values.

    Args:
        draw (ColourDraw): The draw for B images.
        channel_means (Tensor): ``(B, 3)`` float in [0, 255].
        mean (Sequence[float]): Three channel means in [0, 1].
        std (Sequence[float]): Three channel deviations in [0, 1].

    Returns:
        tuple[Tensor, Tensor]: Matrix ``(B, 3, 3)`` and offset ``(B, 3, 1)``
        on the device of ``channel_means``.
    """
    draw = ColourDraw(*(part.to(channel_means.device) for part in draw))
    matrix, offset = compose_colour(draw, channel_means / 255)
    scale, shift = offset.new_tensor(std), offset.new_tensor(mean)
    return matrix / (255 * scale[:, None]), ((offset - shift) / scale)[:, :,
                                                                       None]


def apply_colour(images: Tensor, matrix: Tensor, offset: Tensor,
                 mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Jitter, grayscale and normalise in one pass over the pixels.

    Departures from a chain of torchvision transforms: hue turns the I-Q plane
    of YIQ instead of shifting HSV's hue (affine, so it joins the matrix), and
    values are clamped to the displayable range once, after the whole chain.

    Args:
        images (Tensor): ``(B, 3, H, W)`` RGB, 0-255, uint8 or float.
        matrix (Tensor): ``(B, 3, 3)`` of :func:`normalising_maps`.
        offset (Tensor): ``(B, 3, 1)``, likewise.
        mean (Sequence[float]): Three channel means in [0, 1].
        std (Sequence[float]): Three channel deviations in [0, 1].

    Returns:
        Tensor: ``(B, 3, H, W)`` float32, contiguous, ``(value - mean) / std``
        with value in [0, 1].
    """
    out = torch.empty(images.shape, device=images.device)
    batch = len(images)
    step = batch
    if images.device.type == 'cpu':  # as many at a time as stay in the cache
        step = max(1, CACHED_VALUES // images[0].numel())
    for first in range(0, batch, step):
        part = slice(first, first + step)
        pixels = images[part].to(
            torch.float32, memory_format=torch.contiguous_format)
        torch.baddbmm(
            offset[part],
            matrix[part],
            pixels.flatten(2),
            out=out[part].flatten(2))
        for channel, (m, s) in enumerate(zip(mean, std)):
            out[part, channel].clamp_(-m / s, (1 - m) / s)
    return out


def channel_means(images: Tensor) -> Tensor:
    """Channel means ``(B, 3)`` float32 of images ``(B, 3, H, W)``, of every
    fourth row: enough for what contrast mixes in."""
    return images[..., ::4, :].float().mean((2, 3))


def blur_kernels(sigma: Tensor) -> Tensor:
    """Gaussian taps ``(B, 2r + 1)`` of each ``sigma`` in pixels; the radius r
    is three times the largest deviation."""
    radius = max(1, math.ceil(3 * float(sigma.max())))
    taps = torch.arange(-radius, radius + 1, dtype=torch.float32)
    kernels = torch.exp(-0.5 * (taps / sigma[:, None])**2)
    return kernels / kernels.sum(-1, keepdim=True)


def gaussian_blur_(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur each image in place with its own Gaussian, borders reflected.

    Accelerators take two grouped convolutions for the whole batch; on CPU
    OpenCV's separable filter is some ten times faster than those.

    Args:
        images (Tensor): ``(B, C, H, W)`` float32, contiguous; written to.
        sigma (Tensor): ``(B,)`` float32, deviation in pixels, on CPU; images
            with 0 stay as they are.

    Returns:
        Tensor: ``images``.
    """
    index = sigma.nonzero()[:, 0]
    if not len(index):
        return images
    if images.device.type != 'cpu':
        there = index.to(images.device)
        images[there] = _blur_batch(images[there], blur_kernels(sigma[index]))
        return images
    planes = images.numpy()
    for i in index.tolist():
        kernel = blur_kernels(sigma[i:i + 1])[0].numpy()
        for plane in planes[i]:
            cv2.sepFilter2D(
                plane,
                -1,
                kernel,
                kernel,
                dst=plane,
                borderType=cv2.BORDER_REFLECT_101)
    return images


def _blur_batch(images: Tensor, kernels: Tensor) -> Tensor:
    """``(B, C, H, W)`` images, ``(B, 2r + 1)`` kernels -> blurred images."""
    batch, channels, height, width = images.shape
    groups, radius = batch * channels, kernels.shape[1] // 2
    kernels = kernels.to(images).repeat_interleave(channels, 0)[:, None]
    flat = F.pad(
        images.reshape(1, groups, height, width), (radius, ) * 4, 'reflect')
    flat = F.conv2d(flat, kernels[..., :, None], groups=groups)
    flat = F.conv2d(flat, kernels[..., None, :], groups=groups)
    return flat.view_as(images)


def solarize_(images: Tensor, chosen: Tensor, mean: Sequence[float],
              std: Sequence[float]) -> Tensor:
    """Invert the bright half of the range of the chosen images, in place.

    Args:
        images (Tensor): ``(B, 3, H, W)`` float, normalised; written to.
        chosen (Tensor): ``(B,)`` bool, on CPU.
        mean (Sequence[float]): Channel means the images were normalised by.
        std (Sequence[float]): Channel deviations, likewise.

    Returns:
        Tensor: ``images``; a value v in [0, 1] becomes 1 - v where v >= 0.5,
        on 8-bit values the same as Pillow's threshold of 128.
    """
    mean, std = images.new_tensor(mean), images.new_tensor(std)
    mirror = ((1 - 2 * mean) / std).view(3, 1, 1)
    for i in chosen.nonzero()[:, 0].tolist():
        torch.minimum(images[i], mirror - images[i], out=images[i])
    return images


def halve(images: Tensor) -> Tensor:
    """Average 2x2 pixels: ``(B, C, H, W)`` -> ``(B, C, H / 2, W / 2)``.

    Adding slices, rows first, is several times faster on CPU than
    ``avg_pool2d``.
    """
    rows = images[..., 0::2, :] + images[..., 1::2, :]
    return (rows[..., 0::2] + rows[..., 1::2]).mul_(0.25)
