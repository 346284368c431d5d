"""Six camera styles: what makes the same coat look different."""
from dataclasses import dataclass
from functools import lru_cache
from typing import Tuple

import cv2
import numpy as np

from .render import TILE


@dataclass(frozen=True)
class Camera:
    """How a camera sees.

    Args:
        gains (tuple[float]): Of red, green, blue: the colour cast.
        contrast (float): About middle grey.
        gamma (float): Above 1 darkens the middle tones.
        saturation (float): 0 grey, 1 as it is.
        blur (float): Sigma in thousandths of the picture's height.
        noise (float): Standard deviation in grey levels.
        quality (int): Of the JPEG.
        resolution (float): Share of the pixels' rows that are resolved.
        pitch (float): How far it looks down, in radians.
    """
    gains: Tuple[float, float, float]
    contrast: float
    gamma: float
    saturation: float
    blur: float
    noise: float
    quality: int
    resolution: float
    pitch: float


CAMERAS = (
    Camera((1.02, 1.00, .98), 1.04, 1.00, 1.03, 1.6, 2., 92, 1.0, .08),
    Camera((1.10, 1.01, .90), .95, .95, .95, 2.6, 3., 85, .8, .20),
    Camera((.90, .99, 1.10), .99, 1.06, .92, 2.0, 4., 88, .9, .15),
    Camera((.96, 1.04, .95), .87, .90, .87, 3.6, 3., 80, .65, .30),
    Camera((1.00, .99, 1.00), 1.12, 1.14, 1.08, 1.6, 5., 86, 1.0, .05),
    Camera((1.05, .97, 1.03), .93, 1.03, .76, 3.0, 6., 74, .6, .25),
)


@lru_cache(maxsize=None)
def _noise_tile() -> np.ndarray:
    rng = np.random.default_rng(11)
    tile = rng.standard_normal((TILE, TILE)).astype(np.float32)
    return .8 * tile + .4 * cv2.GaussianBlur(tile, (0, 0), 1) * 3


def expose(image: np.ndarray, camera: Camera,
           rng: np.random.Generator) -> np.ndarray:
    """Take the picture with a camera.

    Args:
        image (np.ndarray): ``(H, W, 3)`` uint8, RGB.
        camera (Camera): The style; every picture varies a little.
        rng (Generator): Draws the variation.

    Returns:
        np.ndarray: The same form.
    """
    height, width = image.shape[:2]
    image = _soften(image, camera, rng)
    if camera.saturation != 1:
        grey = cv2.cvtColor(
            cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = cv2.addWeighted(image, camera.saturation, grey,
                                1 - camera.saturation, 0)
    image = cv2.LUT(image, _curves(camera, rng))
    top = int(rng.integers(TILE - height + 1))
    left = int(rng.integers(TILE - width + 1))
    noise = _noise_tile()[top:top + height, left:left + width] * np.float32(
        camera.noise * rng.uniform(.6, 1.4))
    return cv2.add(image, cv2.merge([noise] * 3), dtype=cv2.CV_8U)


def _soften(image, camera, rng):
    height, width = image.shape[:2]
    share = min(camera.resolution * rng.uniform(.85, 1.15), 1.)
    if share < .97:
        small = (max(int(width * share), 8), max(int(height * share), 8))
        image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
        image = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_LINEAR)
    sigma = camera.blur * 1e-3 * height * rng.uniform(.7, 1.3)
    if sigma > .25:
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    return image


def _curves(camera, rng):
    """Look-up table of each channel, ``(256, 1, 3)`` uint8."""
    x = np.linspace(0, 1, 256, dtype=np.float64)[:, None]
    gains = np.array(camera.gains) * (1 + rng.normal(0, .03, 3))
    gamma = camera.gamma * np.exp(rng.normal(0, .08))
    y = gains * x**gamma
    y = .5 + camera.contrast * (y - .5) + rng.normal(0, .03)
    return np.clip(255 * y, 0, 255).astype(np.uint8)[:, None, :]


def encode_jpeg(image: np.ndarray, quality: int) -> bytes:
    """JPEG file of an RGB picture.

    Args:
        image (np.ndarray): ``(H, W, 3)`` uint8, RGB.
        quality (int): 0 to 100.

    Returns:
        bytes: The file.
    """
    done, data = cv2.imencode('.jpg', image[..., ::-1],
                              [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f'cannot encode a picture of {image.shape}')
    return data.tobytes()
