"""A composed world as one MJCF text."""

import mujoco
import numpy as np


def mjcf(world: mujoco.MjSpec) -> str:
    """The MJCF of a world, complete but for drawn textures: MJCF takes these from files alone, so each is its mean."""
    for texture in world.textures:
        if texture.data:
            _flatten(texture)
    world.compile()
    return str(world.to_xml())


def _flatten(texture: mujoco.MjsTexture) -> None:
    pixels = np.frombuffer(bytes(texture.data), np.uint8).reshape(-1, texture.nchannel)
    texture.rgb1 = pixels[:, :3].mean(axis=0) / 255
    texture.data = b""
    texture.builtin = mujoco.mjtBuiltin.mjBUILTIN_FLAT
    texture.width = texture.height = 16
