"""Where the frames of one episode go in an HDF5 file."""

from collections.abc import Mapping
from dataclasses import dataclass

import h5py


@dataclass(frozen=True, kw_only=True, eq=False)
class ImagePlaces:
    """Where the frames of one episode go.

    Attributes:
        group: Will hold one dataset per camera.
        names: Camera -> name of its dataset in the group, in the spec's order.
        books: Will hold checksums and lengths.
        steps: T.
        image_size: Height and width [px].
    """

    group: h5py.Group
    names: Mapping[str, str]
    books: h5py.Group
    steps: int
    image_size: tuple[int, int]
