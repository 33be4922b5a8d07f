"""Renders images of states, at one of two qualities."""

import atexit
import copy
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import mujoco
import numpy as np

from ambidex.envs.simulation.scene import STATE
from ambidex.envs.simulation.shared_context import close_shared_context, shared_context
from ambidex.envs.types import FloatArray, ImageArray
from ambidex.errors import RenderingError

MAX_GEOMS = 2000
UpdateAppearance = Callable[[mujoco.MjModel, mujoco.MjData], None]


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Settings that determine the quality and cost of an image.

    Attributes:
        multisamples: Samples per pixel for smooth edges; 0 for none.
        shadow_map: Side of the shadow map [texels]; 0 for no shadows.
        slices: Subdivisions around the axis of cylinders and spheres.
        stacks: Subdivisions along it.
    """

    multisamples: int
    shadow_map: int
    slices: int
    stacks: int


QUALITIES: Mapping[str, Quality] = {
    "standard": Quality(multisamples=0, shadow_map=0, slices=12, stacks=4),
    "studio": Quality(multisamples=8, shadow_map=4096, slices=32, stacks=16),
}


class Renderer:
    """Renders states of one model, in the OpenGL context of the thread that makes it. Close it to free its memory.

    Args:
        model: Compiled model; a copy of it is rendered.
        image_size: Height and width [px].
        quality: "standard" or "studio".
        update_appearance: Sets the colours in the copy that depend on the state.
    """

    def __init__(
        self,
        model: mujoco.MjModel,
        image_size: tuple[int, int],
        quality: str,
        update_appearance: UpdateAppearance | None = None,
    ) -> None:
        profile = QUALITIES[quality]
        height, width = image_size
        self._model = _with_quality(model, profile, height, width)
        self._data = mujoco.MjData(self._model)
        self._context = shared_context(image_size)
        self._gpu = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
        self._scene = mujoco.MjvScene(self._model, MAX_GEOMS)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = profile.shadow_map > 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = profile.shadow_map > 0
        self._options = mujoco.MjvOption()
        self._options.geomgroup[3] = 0
        self._options.sitegroup[:] = 0
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._viewport = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), np.uint8)
        self._update_appearance = update_appearance
        self._state: FloatArray | None = None
        self._free = weakref.finalize(self, self._context.free, self._gpu)
        _open.add(self)
        _close_at_exit()

    def render(self, state: FloatArray, camera: str) -> ImageArray:
        """One image, shape (H, W, 3) uint8 RGB, upright; `state` has shape (S,)."""
        self._make_current()
        if self._state is None or not np.array_equal(self._state, state):
            self._load(state)
        self._camera.fixedcamid = self._model.camera(camera).id
        everything = mujoco.mjtCatBit.mjCAT_ALL.value
        mujoco.mjv_updateScene(self._model, self._data, self._options, None, self._camera, everything, self._scene)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._gpu)
        mujoco.mjr_render(self._viewport, self._scene, self._gpu)
        mujoco.mjr_readPixels(self._pixels, None, self._viewport, self._gpu)
        return self._pixels[::-1].copy()

    def change_model(self, change: Callable[[mujoco.MjModel], None], *, textures: bool = False) -> None:
        """Change the rendered copy of the model; only if `textures` is set, its textures too."""
        before = self._model.tex_data.copy() if textures else None
        change(self._model)
        self._state = None
        if before is not None:
            self._upload_textures(before)

    def close(self) -> None:
        """Free its memory. Safe to call twice; also happens when the renderer is deleted or Python exits."""
        self._free()

    def _upload_textures(self, before: ImageArray) -> None:
        """Bring those textures to the GPU that differ from the data before."""
        model = self._model
        self._make_current()
        for texture, (start, end) in enumerate(pairwise([*model.tex_adr, len(model.tex_data)])):
            if not np.array_equal(model.tex_data[start:end], before[start:end]):
                mujoco.mjr_uploadTexture(model, self._gpu, texture)

    def _make_current(self) -> None:
        # For every image, as other code may have made its own context current.
        try:
            self._context.make_current()
        except Exception as exception:  # PyOpenGL raises exceptions of many types
            raise RenderingError(
                f"The OpenGL context of an environment could not be used: {type(exception).__name__}: {exception}.",
                "It belongs to the thread that rendered first; make one environment per thread.",
            ) from exception

    def _load(self, state: FloatArray) -> None:
        mujoco.mj_setState(self._model, self._data, np.ascontiguousarray(state), STATE.value)
        mujoco.mj_kinematics(self._model, self._data)
        mujoco.mj_comPos(self._model, self._data)
        mujoco.mj_camlight(self._model, self._data)
        if self._update_appearance is not None:
            self._update_appearance(self._model, self._data)
        self._state = np.array(state)


_open: weakref.WeakSet[Renderer] = weakref.WeakSet()


@cache
def _close_at_exit() -> None:
    """Have open renderers closed when Python exits, before mujoco closes the display.

    mujoco registers that with the first context, and what is registered later is called earlier. `weakref.finalize`
    alone would be too late if anything else has used it before.
    """
    atexit.register(_close_open)


def _close_open() -> None:
    for renderer in list(_open):
        renderer.close()
    close_shared_context()


def _with_quality(model: mujoco.MjModel, quality: Quality, height: int, width: int) -> mujoco.MjModel:
    changed = copy.copy(model)
    changed.vis.global_.offwidth, changed.vis.global_.offheight = width, height
    changed.vis.quality.offsamples = quality.multisamples
    changed.vis.quality.shadowsize = quality.shadow_map
    changed.vis.quality.numslices, changed.vis.quality.numstacks = quality.slices, quality.stacks
    return changed
