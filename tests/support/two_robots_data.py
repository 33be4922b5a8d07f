"""Small datasets of two robots."""

from synthetic_dataset import write_dataset
from synthetic_libero import write_panda_dataset


def write_two_datasets(folder):
    """The folders of a ViperX's dataset and of a Panda's."""
    aloha = write_dataset(folder / "aloha", image_size=(48, 64), cameras=("top",))
    return aloha, write_panda_dataset(folder / "panda", image_size=(32, 32))
