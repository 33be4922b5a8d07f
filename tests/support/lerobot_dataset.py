"""LeRobot datasets as other programs write them: many episodes in one file, and nothing of ours."""

import io
import json
from fractions import Fraction

import av
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image
from synthetic_episode import JOINTS

SIZE = (32, 48)
ALOHA_NAMES = tuple(
    f"{side}_{joint}"
    for side in ("left", "right")
    for joint in ("waist", "shoulder", "elbow", "forearm_roll", "wrist_angle", "wrist_rotate", "gripper")
)
assert len(JOINTS) == len(ALOHA_NAMES)


def vectors(length, dimensions, seed):
    return np.random.default_rng(seed).standard_normal((length, dimensions)).astype(np.float32)


def image(episode, t, camera=0):
    """A smooth image of its own for each step."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.stack([rows * 3 + t * 9, columns * 2 + episode * 40, 200 - rows - camera * 60], axis=-1).astype(np.uint8)


def write_lerobot(
    folder,
    *,
    lengths=(6, 4, 5),
    fps=50,
    state="observation.state",
    action="action",
    names=ALOHA_NAMES,
    dimensions=(14, 14),
    cameras=("observation.images.top", "observation.images.left_wrist"),
    dtype="video",
    tasks=("push the cube", "lift it"),
    success=None,
    version="v3.0",
    step_s=None,
):
    """A dataset of these lengths; episode i is of task i modulo their number."""
    info = {
        "codebase_version": version,
        "fps": fps,
        "features": {
            state: {"dtype": "float32", "shape": [dimensions[0]], "names": {"motors": list(names)} if names else None},
            action: {"dtype": "float32", "shape": [dimensions[1]], "names": list(names) if names else None},
            **{key: {"dtype": dtype, "shape": [*SIZE, 3], "names": None} for key in cameras},
            **({"next.success": {"dtype": "bool", "shape": [1], "names": None}} if success else {}),
        },
        "total_episodes": len(lengths),
        "total_frames": sum(lengths),
        "total_tasks": len(tasks),
        "robot_type": "aloha",
        "something_new": 1,
    }
    (folder / "meta").mkdir(parents=True)
    (folder / "meta/info.json").write_text(json.dumps(info))
    images, features = cameras if dtype == "image" else (), (state, action, dimensions)
    rows = [
        row(e, t, length, step_s or 1 / fps, features, images, success)
        for e, length in enumerate(lengths)
        for t in range(length)
    ]
    videos = cameras if dtype == "video" else ()
    (write_v21 if version == "v2.1" else write_v3)(folder, rows, lengths, fps, videos, tasks)
    return folder


def row(e, t, length, step_s, features, images, success):
    state, action, (states, actions) = features
    return {
        state: vectors(length, states, e)[t].tolist(),
        action: vectors(length, actions, 100 + e)[t].tolist(),
        **{key: {"bytes": png(image(e, t, camera)), "path": None} for camera, key in enumerate(images)},
        "timestamp": t * step_s,
        "frame_index": t,
        "episode_index": e,
        "task_index": 0,
        **({"next.success": success[e] and t == length - 1} if success else {}),
    }


def write_v3(folder, rows, lengths, fps, videos, tasks):
    write_table(folder / "data/chunk-000/file-000.parquet", rows)
    starts = np.cumsum([0, *lengths])
    episodes = [
        {
            "episode_index": e,
            "tasks": [tasks[e % len(tasks)]],
            "length": length,
            "data/chunk_index": 0,
            "data/file_index": 0,
            **{
                f"videos/{key}/{name}": value
                for key in videos
                for name, value in (("chunk_index", 0), ("file_index", 0), ("from_timestamp", starts[e] / fps))
            },
        }
        for e, length in enumerate(lengths)
    ]
    write_table(folder / "meta/episodes/chunk-000/file-000.parquet", episodes)
    for camera, key in enumerate(videos):
        frames = [image(e, t, camera) for e, length in enumerate(lengths) for t in range(length)]
        write_video(folder / f"videos/{key}/chunk-000/file-000.mp4", frames, fps)


def write_v21(folder, rows, lengths, fps, videos, tasks):
    lines = []
    for e, length in enumerate(lengths):
        lines.append({"episode_index": e, "tasks": [tasks[e % len(tasks)]], "length": length})
        write_table(
            folder / f"data/chunk-000/episode_{e:06d}.parquet", [each for each in rows if each["episode_index"] == e]
        )
        for camera, key in enumerate(videos):
            frames = [image(e, t, camera) for t in range(length)]
            write_video(folder / f"videos/chunk-000/{key}/episode_{e:06d}.mp4", frames, fps)
    (folder / "meta/episodes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def write_table(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_video(path, frames, fps):
    """With B-frames and far keyframes, unlike ours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps), options={"crf": "12", "threads": "1"})
        stream.height, stream.width, stream.pix_fmt = (*SIZE, "yuv420p")
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def png(frame):
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "png")
    return buffer.getvalue()
