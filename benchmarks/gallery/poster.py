"""The still picture that stands for a video."""

import base64
import io
from collections import deque
from pathlib import Path

import av
import numpy as np
from PIL import Image

from ambidex.envs.types import ImageArray
from ambidex.errors import DatasetError

WIDTH = 560  # of the still, at most [px]
QUALITY = 72  # of its JPEG


def poster(video: Path) -> bytes:
    """The last picture of a video as a small JPEG: it shows how the episode ended.

    Raises:
        DatasetError: The file is damaged.
    """
    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            if stream.duration:
                container.seek(stream.duration, stream=stream)  # the last key frame: little is left to decode
            (last,) = deque(container.decode(stream), maxlen=1)
            return jpeg(np.asarray(last.to_ndarray(format="rgb24"), np.uint8))
    except (OSError, ValueError, IndexError) as error:
        raise DatasetError(
            f"{video} cannot be read as a video ({type(error).__name__}: {error}). Remove it, and it is made anew from "
            "the stored states."
        ) from error


def jpeg(picture: ImageArray) -> bytes:
    """A picture, shape (H, W, 3) uint8 RGB, as a JPEG of at most WIDTH."""
    image, content = Image.fromarray(picture), io.BytesIO()
    image.thumbnail((WIDTH, WIDTH))
    image.save(content, "jpeg", quality=QUALITY)
    return content.getvalue()


def data_address(picture: bytes) -> str:
    """A JPEG as an address that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(picture).decode()
