"""Posters: the image that is shown instead of a video, a small JPEG of its last frame."""

import base64
import io
from collections import deque
from pathlib import Path

import av
import numpy as np
from PIL import Image

from ambidex.envs.types import ImageArray
from ambidex.errors import DatasetError

MAX_WIDTH = 560  # [px]
QUALITY = 72  # of the JPEG


def poster(video: Path) -> bytes:
    """The last frame of a video, which shows how the episode ended, as a small JPEG.

    Raises:
        DatasetError: The file is damaged.
    """
    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            if stream.duration:
                container.seek(stream.duration, stream=stream)  # to the last key frame, so that little is decoded
            (last,) = deque(container.decode(stream), maxlen=1)
            return jpeg(np.asarray(last.to_ndarray(format="rgb24"), np.uint8))
    except (OSError, ValueError, IndexError) as error:
        problem = f"{video} cannot be read as a video ({type(error).__name__}: {error})."
        raise DatasetError(problem, "Remove it; it is then made again from the stored states.", path=video) from error


def jpeg(image: ImageArray) -> bytes:
    """An image, shape (H, W, 3) uint8 RGB, as a JPEG at most `MAX_WIDTH` wide."""
    small, content = Image.fromarray(image), io.BytesIO()
    small.thumbnail((MAX_WIDTH, MAX_WIDTH))
    small.save(content, "jpeg", quality=QUALITY)
    return content.getvalue()


def data_url(image: bytes) -> str:
    """A JPEG as a data URL."""
    return "data:image/jpeg;base64," + base64.b64encode(image).decode()
