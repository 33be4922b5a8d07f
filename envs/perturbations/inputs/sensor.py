"""Disturbed images of the cameras in the scene."""

import io
import math
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from scipy import ndimage

from ambidex.envs.perturbations.appearance.camera import scene_cameras
from ambidex.envs.perturbations.perturbation import Clean, Drawn, Level, Perturbation, axis_rng
from ambidex.envs.types import FloatArray, ImageArray

REFERENCE_HEIGHT = 256  # of the images that lengths in pixels are meant for [px]
MOTION = (
    *((5, 2.0), (8, 3.0), (10, 4.0), (12, 5.0), (15, 6.0)),
    *((18, 8.0), (20, 10.0), (25, 12.0), (30, 15.0), (35, 20.0)),
)
"""Severities of motion blur in LIBERO-plus: radius and deviation [px]."""
FOG = (
    *((0.5, 3.0), (1.0, 2.8), (1.5, 2.5), (2.0, 2.2), (2.5, 2.0)),
    *((3.0, 1.8), (3.5, 1.6), (4.0, 1.5), (4.5, 1.4), (5.0, 1.3)),
)
"""Of fog: strength and decay."""
GLASS = (
    *((0.5, 1, 3), (0.7, 1, 3), (0.9, 2, 3), (1.0, 2, 2), (1.1, 3, 2)),
    *((1.3, 3, 2), (1.5, 4, 2), (1.8, 4, 2), (2.2, 5, 1), (2.5, 5, 1)),
)
"""Of glass: deviation [px], largest shift [px] and iterations."""
Disturb = Callable[[ImageArray, int, np.random.Generator, float], ImageArray]


class Sensor(Perturbation):
    """One disturbance in each episode, drawn from `DISTURBANCES`, and drawn anew for each image where it is random.

    Lengths are for images 256 pixels high, and scaled to others. Images of wrist cameras stay as they are, as in
    LIBERO-plus, whose severities 2, 4, 6, 8 and 10 the blurs, fog and glass have at the levels 1 to 5.
    """

    strengths = ((2,), (4,), (6,), (8,), (10,))  # severity, 1 to 10

    def __init__(self, clean: Clean, level: Level) -> None:
        self._cameras = frozenset(clean.scene.model.camera(camera).name for camera in scene_cameras(clean.scene))
        super().__init__(clean, level)

    def cameras(self) -> frozenset[str]:
        return self._cameras

    def draw(self, rng: np.random.Generator) -> Drawn:
        self._kind = str(rng.choice(sorted(DISTURBANCES)))
        self._seed = int(rng.integers(2**32))
        return {"kind": self._kind}

    def change_image(self, image: ImageArray, camera: str, step: int) -> ImageArray:
        if camera not in self._cameras:
            return image
        severity = int(self.strength[0])
        rng = axis_rng("sensor", self._seed, step, *camera.encode())
        # A copy, because images that Pillow makes cannot be written to.
        return np.array(DISTURBANCES[self._kind](image, severity, rng, image.shape[0] / REFERENCE_HEIGHT))


def noise(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """Gaussian noise, independent for each pixel and channel."""
    deviation = (10.0, 20.0, 30.0, 45.0, 60.0)[_pair(severity)]
    return _pixels(image + deviation * rng.normal(size=image.shape))


def gaussian_blur(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    radius = float(severity) * scale
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def motion_blur(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """Along a line at -45 to 45 degrees, with weights of a Gaussian."""
    radius, deviation = MOTION[severity - 1]
    angle = math.radians(rng.uniform(-45.0, 45.0))
    offsets = np.arange(-radius, radius + 1) * scale
    weights = np.exp(-0.5 * (offsets / (deviation * scale)) ** 2)
    size = max(1, math.ceil(radius * scale))
    kernel = np.zeros((2 * size + 1, 2 * size + 1))
    rows, columns = np.rint(offsets * math.sin(angle)).astype(int), np.rint(offsets * math.cos(angle)).astype(int)
    np.add.at(kernel, (rows + size, columns + size), weights / weights.sum())
    channels = [ndimage.convolve(image[..., i].astype(float), kernel, mode="nearest") for i in range(3)]
    return _pixels(np.stack(channels, axis=-1))


def zoom_blur(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """The mean of images zoomed in up to a factor, in steps of 1 %."""
    largest = round(1.06 + 0.05 * severity, 2)
    height, width = image.shape[:2]
    picture, total = Image.fromarray(image), image.astype(float)
    factors = np.arange(1.01, largest, 0.01)
    for factor in factors:
        x, y = width * (1 - 1 / factor) / 2, height * (1 - 1 / factor) / 2
        box = (x, y, width - x, height - y)
        total += np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR, box))
    return _pixels(total / (len(factors) + 1))


def fog(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """A bright fractal over the image, which loses contrast."""
    strength, decay = FOG[severity - 1]
    haze = strength * _fractal(image.shape[0], image.shape[1], decay, rng)[..., None]
    values = image / 255.0
    brightest = values.max()
    return _pixels(255.0 * (values + haze) * brightest / (brightest + strength))


def glass(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """Pixels exchanged with near ones, between two Gaussian blurs."""
    deviation, shift, rounds = GLASS[severity - 1]
    blurred = ImageFilter.GaussianBlur(deviation * scale)
    moved = np.asarray(Image.fromarray(image).filter(blurred))
    height, width = image.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    reach = max(1, round(shift * scale))
    for _ in range(rounds):
        dy, dx = rng.integers(-reach, reach + 1, (2, height, width))
        moved = moved[np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)]
    return np.asarray(Image.fromarray(moved).filter(blurred))


def jpeg(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=(25, 18, 12, 8, 5)[_pair(severity)])
    return np.asarray(Image.open(stream))


def occlusion(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """A grey rectangle with this share of the area, in another place in each image."""
    side = math.sqrt((0.02, 0.05, 0.1, 0.15, 0.25)[_pair(severity)])
    height, width = image.shape[:2]
    rows, columns = round(side * height), round(side * width)
    top, left = int(rng.integers(height - rows + 1)), int(rng.integers(width - columns + 1))
    picture = Image.fromarray(image)
    ImageDraw.Draw(picture).rectangle((left, top, left + columns - 1, top + rows - 1), fill=(128, 128, 128))
    return np.asarray(picture)


def brightness(image: ImageArray, severity: int, rng: np.random.Generator, scale: float) -> ImageArray:
    """The exposure flickers: each image is darker or brighter by up to a factor."""
    largest = (1.2, 1.5, 1.8, 2.2, 3.0)[_pair(severity)]
    return _pixels(image * largest ** rng.uniform(-1.0, 1.0))


DISTURBANCES: Mapping[str, Disturb] = {
    "brightness": brightness,
    "fog": fog,
    "gaussian_blur": gaussian_blur,
    "glass": glass,
    "jpeg": jpeg,
    "motion_blur": motion_blur,
    "noise": noise,
    "occlusion": occlusion,
    "zoom_blur": zoom_blur,
}


def _pair(severity: int) -> int:
    """Index of what a severity has in common with that below or above it."""
    return (severity - 1) // 2


def _pixels(values: FloatArray) -> ImageArray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _fractal(height: int, width: int, decay: float, rng: np.random.Generator) -> FloatArray:
    """Sum of smooth random fields, each twice as fine and `decay` times as weak as the one before; 0 to 1."""
    total = np.zeros((height, width))
    cells, weight = 2, 1.0
    while cells <= max(height, width):
        coarse = rng.uniform(size=(cells + 1, cells + 1))
        zoom = (height / (cells + 1), width / (cells + 1))
        total += weight * ndimage.zoom(coarse, zoom, order=1, mode="nearest", grid_mode=True)[:height, :width]
        cells, weight = 2 * cells, weight / decay
    return np.asarray((total - total.min()) / (total.max() - total.min()))
