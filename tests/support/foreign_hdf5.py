"""HDF5 demonstrations as other programs write them, and nothing of ours."""

import io
import json

import h5py
import numpy as np
from PIL import Image

SIZE = (24, 32)
OSC = {"type": "OSC_POSE", "control_delta": True, "output_max": [0.05, 0.05, 0.05, 0.5, 0.5, 0.5]}
ENV_ARGS = {
    "type": 1,
    "env_name": "Lift",
    "env_kwargs": {"robots": ["Panda"], "control_freq": 20, "controller_configs": OSC},
}


def vectors(length, dimensions, seed):
    return np.random.default_rng(seed).uniform(-0.9, 0.9, (length, dimensions))


def images(length, episode, size=SIZE):
    """Smooth images (T, H, W, 3), upright: dark at the top and on the left, each step of its own."""
    t, rows, columns = np.mgrid[:length, : size[0], : size[1]]
    return np.stack([rows * 8, columns * 5 + episode, 40 + t * 5 + 0 * rows], axis=-1).astype(np.uint8)


def write_act(
    folder, lengths=(7, 5, 6), *, cameras=None, qvel=True, jpeg=False, base=False, dtype=np.float32, states=14
):
    """The original ACT code's files, or mobile-aloha's: nothing but images, qpos, qvel, action."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, length in enumerate(lengths):
        with h5py.File(folder / f"episode_{i}.hdf5", "w") as root:
            root.attrs["sim"] = not base
            for name, size in (cameras or {"top": SIZE}).items():
                write_camera(root, f"observations/images/{name}", images(length, i, size), jpeg)
            root["observations/qpos"] = vectors(length, states, i).astype(dtype)
            if qvel:
                root["observations/qvel"] = vectors(length, states, 50 + i).astype(dtype)
            root["action"] = vectors(length, states, 100 + i).astype(dtype)
            if base:
                root["base_action"] = vectors(length, 2, 200 + i).astype(dtype)
    return folder


def write_camera(root, name, frames, jpeg):
    """As mobile-aloha does: cv2 takes RGB for BGR, so that red and blue are swapped in the JPEGs."""
    if not jpeg:
        root[name] = frames
        return
    encoded = [encode(frame[..., ::-1]) for frame in frames]
    width = max(map(len, encoded))
    root[name] = np.stack([np.frombuffer(data.ljust(width, b"\0"), np.uint8) for data in encoded])
    root.attrs["compress"] = True
    root.require_dataset("compress_len", (1, len(frames)), "f4", data=[[len(data) for data in encoded]])


def encode(frame):
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "jpeg", quality=95, subsampling=0)
    return buffer.getvalue()


def write_robomimic(
    file, lengths=(7, 5), *, libero=False, env_args=ENV_ARGS, rewards=True, observations=None, bottom_up=None
):
    """robomimic's file with upright images, or LIBERO's published one, whose images are bottom-up."""
    bottom_up = libero if bottom_up is None else bottom_up
    file.parent.mkdir(parents=True, exist_ok=True)
    joints, fingers = ("joint_states", "gripper_states") if libero else ("robot0_joint_pos", "robot0_gripper_qpos")
    cameras = ("agentview_rgb", "eye_in_hand_rgb") if libero else ("agentview_image", "robot0_eye_in_hand_image")
    with h5py.File(file, "w") as root:
        data = root.create_group("data")
        data.attrs["total"] = sum(lengths)
        if env_args:
            data.attrs["env_args"] = json.dumps(env_args)
        if libero and env_args:
            data.attrs.update({"tag": "libero-v1", "macros_image_convention": "opengl", "problem_info": "{}"})
        for i, length in enumerate(lengths):
            demo = data.create_group(f"demo_{i}")
            demo.attrs["num_samples"] = length
            demo["actions"] = vectors(length, 7, i)
            demo["states"] = vectors(length, 45, 20 + i)
            if rewards:
                demo["rewards"] = demo["dones"] = (np.arange(length) == length - 1).astype(np.uint8)
            demo[f"obs/{joints}"] = vectors(length, 7, 40 + i)
            demo[f"obs/{fingers}"] = np.tile([0.03, -0.03], (length, 1))
            for name in cameras:
                frames = images(length, i)
                demo[f"obs/{name}"] = frames[:, ::-1] if bottom_up else frames
    return file
