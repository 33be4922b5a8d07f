"""Files of initial states: those in LIBERO's format are read, all others are refused and nothing is executed."""

import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import mujoco
import numpy as np
import pytest
from goal_states import goal_states
from torch_file import write_states

from ambidex.envs.env import Environment, make
from ambidex.envs.tasks.libero.initial_states.state_file import MAX_BYTES, check_fit, read_init_states
from ambidex.errors import DatasetError

TASK = "libero_goal/1"
STATES = np.random.default_rng(0).normal(size=(4, 79))
# LIBERO's files were written by an old NumPy, in protocol 2, with the numbers as text to be encoded as latin-1.
OLD_HEAD = (
    b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\nq\x01K\x00\x85q\x02c_codecs\nencode\nq\x03"
)
OLD_HEAD += b"X\x01\x00\x00\x00bX\x06\x00\x00\x00latin1\x86R\x87R("


def archive(folder: Path, content: bytes, member: str = "archive/data.pkl", method: int = zipfile.ZIP_STORED) -> Path:
    path = folder / "task.pruned_init"
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr(member, content)
        file.writestr("archive/version", "3\n")
    return path


def old_pickle(states: np.ndarray, kind: str = "f8", order: str = "<", shape: tuple[int, int] | None = None) -> bytes:
    rows, columns = shape or states.shape
    text = states.astype("<f8").tobytes().decode("latin-1").encode()
    dtype = b"cnumpy\ndtype\n" + unicode(kind) + b"K\x00K\x01\x87R(K\x03" + unicode(order)
    dtype += b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    body = b"K\x01K" + bytes([rows]) + b"K" + bytes([columns]) + b"\x86" + dtype + b"\x89"
    return OLD_HEAD + body + b"h\x03X" + struct.pack("<I", len(text)) + text + unicode("latin1") + b"\x86Rtb."


def unicode(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def refusal(path: Path) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        read_init_states(path)
    assert caught.value.facts["path"] == path and str(path) in str(caught.value)
    return caught.value


def test_a_pickle_in_liberos_format_is_read(tmp_path: Path) -> None:
    assert np.array_equal(read_init_states(archive(tmp_path, old_pickle(STATES))), STATES)


def test_pickle_reads_the_same_array() -> None:
    """Verifies the pickle of the test above."""
    assert np.array_equal(pickle.loads(old_pickle(STATES).replace(b"numpy.core", b"numpy._core")), STATES)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pickles_of_the_current_numpy_are_read(tmp_path: Path, protocol: int, method: int) -> None:
    path = archive(tmp_path, pickle.dumps(STATES, protocol), method=method)
    assert np.array_equal(read_init_states(path), STATES)


def test_an_array_in_column_order_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path, pickle.dumps(np.asfortranarray(STATES), 2))
    assert np.array_equal(read_init_states(path), STATES)


def test_a_file_of_torch_save_is_read(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(STATES, tmp_path / "task.init")
    assert np.array_equal(read_init_states(tmp_path / "task.init"), STATES)


class Malicious:
    """Makes a folder when unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_nothing_is_executed(tmp_path: Path, protocol: int) -> None:
    content = pickle.dumps(Malicious(tmp_path / "made"), protocol)
    assert "is refused" in str(refusal(archive(tmp_path, content)))
    assert not (tmp_path / "made").exists()
    pickle.loads(content)
    assert (tmp_path / "made").exists()  # pickle itself executes it


def test_a_call_of_another_function_is_refused(tmp_path: Path) -> None:
    content = old_pickle(STATES).replace(b"c_codecs\nencode\n", b"cos\nsystem\n")
    assert "'os.system'" in str(refusal(archive(tmp_path, content)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"\x80\x02.",
        b"\x80\x02K\x01",
        b"\x80\x02K\x01K\x02.",
        b"\x80\x02R.",
        b"\x80\x02b.",
        b"\x80\x02t.",
        b"\x80\x02\x87.",
        b"\x80\x02h\x07.",
        b"\x80\x02q\x00.",
        b"\x80\x02X\xff\xff\xff\x7fabc.",
        b"\x80\x02\x8b\xff\xff\xff\x7f1.",
        b"\x80\x02I" + b"9" * 10_000 + b"\n.",
        b"\x80\x02cnumpy\nndarray\n.",
        b"\x80\x02cnumpy\nndarray\n)R.",
        b"\x80\x04\x93.",
        b"\x80\x02cnum\\dpy\nndarray\n.",
        b"\x80\x02K\x01K\x02\x86K\x03R.",
        b"\x80\x02" + b"(" * 500 + b"t" * 499 + b".",
        b"\x80\x02" + b"2" * 5000,
        b"\x80\x02" + b"N0" * 5000 + b".",
        b"\x80\x02N" + b"\x85" * 5000 + b".",
        pickle.dumps([1, 2], 2),
        pickle.dumps({"a": STATES}, 2),
        pickle.dumps([STATES], 2),
        pickle.dumps("text", 2),
    ],
)
def test_pickles_without_an_array_are_refused(tmp_path: Path, content: bytes) -> None:
    assert "is refused" in str(refusal(archive(tmp_path, content)))


def test_a_memo_of_four_billion_entries_is_refused(tmp_path: Path) -> None:
    assert "is refused" in str(refusal(archive(tmp_path, b"\x80\x02Nr\xff\xff\xff\xff.")))


@pytest.mark.parametrize("value", [STATES.astype(np.float32), STATES.astype(np.int64), np.array(["a"], object)])
def test_other_dtypes_are_refused(tmp_path: Path, value: np.ndarray) -> None:
    assert "is refused" in str(refusal(archive(tmp_path, pickle.dumps(value, 2))))


def test_big_endian_numbers_are_refused(tmp_path: Path) -> None:
    assert "little-endian" in str(refusal(archive(tmp_path, old_pickle(STATES, order=">"))))


def test_a_shape_that_does_not_match_the_data_is_refused(tmp_path: Path) -> None:
    message = str(refusal(archive(tmp_path, old_pickle(STATES, shape=(200, 79)))))
    assert "(200, 79)" in message and f"{STATES.nbytes} bytes" in message


def test_every_truncated_pickle_is_refused(tmp_path: Path) -> None:
    whole = old_pickle(STATES[:1, :3])
    for length in range(len(whole)):
        assert "is refused" in str(refusal(archive(tmp_path, whole[:length])))


def test_every_changed_byte_is_read_or_refused(tmp_path: Path) -> None:
    whole = old_pickle(STATES[:1, :3])
    for place in range(len(whole)):
        path = archive(tmp_path, whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert read_init_states(path).ndim == 2
        except DatasetError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("value", [np.zeros(5), np.zeros((2, 2, 2))])
def test_other_dimensions_are_refused(tmp_path: Path, value: np.ndarray) -> None:
    assert str(value.shape) in str(refusal(archive(tmp_path, pickle.dumps(value, 2))))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    states = STATES.copy()
    states[2, 5:7] = value
    facts = refusal(archive(tmp_path, pickle.dumps(states, 2))).facts
    assert (facts["row"], facts["column"]) == (2, 5)


def test_files_that_are_no_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "task.init"
    for content in (b"", b"PK\x03\x04", pickle.dumps(STATES)):
        path.write_bytes(content)
        assert "not a valid zip archive" in str(refusal(path))
    assert "is not a file" in str(refusal(tmp_path / "missing.init"))
    assert "is not a file" in str(refusal(tmp_path))


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, pickle.dumps(STATES, 2), method=zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    whole[200] ^= 0xFF
    path.write_bytes(whole)
    assert "not a valid zip archive" in str(refusal(path))


def test_every_changed_byte_of_an_archive_is_read_or_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, old_pickle(STATES[:1, :3]), method=zipfile.ZIP_DEFLATED)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            assert read_init_states(path).shape == (1, 3)
        except DatasetError as error:
            assert str(path) in str(error)


def test_an_archive_without_the_pickle_or_with_two_is_refused(tmp_path: Path) -> None:
    assert "0 members" in str(refusal(archive(tmp_path, b"", member="archive/other.pkl")))
    path = archive(tmp_path, b"")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("second/data.pkl", b"")
    assert "2 members" in str(refusal(path))


def test_a_decompression_bomb_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, bytes(2 * MAX_BYTES), method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < MAX_BYTES
    assert "too large" in str(refusal(path))
    path.write_bytes(bytes(MAX_BYTES + 1))
    assert f"{MAX_BYTES + 1:,} bytes" in str(refusal(path))


def test_a_bomb_with_a_false_size_is_refused(tmp_path: Path) -> None:
    content = bytes(3 * MAX_BYTES)
    path = archive(tmp_path, content, method=zipfile.ZIP_DEFLATED)
    whole = path.read_bytes().replace(struct.pack("<I", len(content)), struct.pack("<I", 1000))
    path.write_bytes(whole)
    assert len(zlib.compress(content)) < MAX_BYTES
    assert "not a valid zip archive" in str(refusal(path))


def test_states_of_another_size_are_refused(tmp_path: Path) -> None:
    check_fit(STATES, nq=40, nv=38, path=tmp_path / "a.init", task="libero_goal/x")
    with pytest.raises(DatasetError) as caught:
        check_fit(STATES, nq=48, nv=43, path=tmp_path / "a.init", task="libero_spatial/y")
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == (79, 92)


@pytest.fixture(scope="module")
def env() -> Environment:
    return make(TASK, cameras=())


@pytest.fixture
def rows(env: Environment) -> np.ndarray:
    """Five states in LIBERO's format: objects 7 cm above their place at rest, drawers closed, stove off."""
    rows = goal_states(5, env)
    rows[:, 1 + np.array(object_addresses(env.scene.model)) + 2] += 0.07
    return rows


def object_addresses(model: mujoco.MjModel) -> list[int]:
    """Addresses of the objects in qpos."""
    return [int(address) for address in model.jnt_qposadr[model.jnt_type == mujoco.mjtJoint.mjJNT_FREE]]


def column_of(env: Environment, joint: str) -> int:
    """Column of a joint's position."""
    return 1 + int(env.scene.model.joint(joint).qposadr[0])


def misfit(folder: Path, rows: np.ndarray) -> DatasetError:
    with pytest.raises(DatasetError) as caught:
        make(TASK, cameras=(), init_states=write_states(folder / "goal.pruned_init", rows))
    assert "goal.pruned_init does not fit libero_goal/put_the_bowl_on_the_stove" in str(caught.value)
    return caught.value


def test_random_numbers_of_the_right_width_are_refused(tmp_path: Path) -> None:
    for seed in range(20):
        assert misfit(tmp_path, np.random.default_rng(seed).normal(size=(10, 79))).facts["row"] == 0


@pytest.mark.parametrize(
    ("joint", "value", "text"),
    [
        ("robot0_joint4", 0.5, "expected -3.072 to -0.0698, or 0.1 beyond"),
        ("robot0_finger_joint1", 0.06, "expected 0 to 0.04, or 0.01 beyond"),
        ("flat_stove_1_button", -0.2, "expected -0.005 to 2.1"),
        ("wooden_cabinet_1_top_level", 0.03, "expected -0.16 to 0.01"),
    ],
)
def test_a_joint_beyond_its_limits_is_refused(
    env: Environment, rows: np.ndarray, tmp_path: Path, joint: str, value: float, text: str
) -> None:
    rows[3:, column_of(env, joint)] = value
    found = misfit(tmp_path, rows)
    assert (found.facts["row"], found.facts["joint"]) == (3, joint) and text in str(found)


@pytest.mark.parametrize(("factor", "length"), [(0.0, "0"), (1.02, "1.02"), (0.98, "0.98")])
def test_a_quaternion_that_is_not_normalised_is_refused(
    env: Environment, rows: np.ndarray, tmp_path: Path, factor: float, length: str
) -> None:
    start = 1 + object_addresses(env.scene.model)[1] + 3
    rows[2, start : start + 4] *= factor
    found = misfit(tmp_path, rows)
    name = env.scene.model.joint(int(np.flatnonzero(env.scene.model.jnt_type == 0)[1])).name
    assert (found.facts["row"], found.facts["joint"]) == (2, name) and f"length {length}, expected 1" in str(found)


def test_the_first_bad_row_is_named(env: Environment, rows: np.ndarray, tmp_path: Path) -> None:
    rows[3, column_of(env, "robot0_joint1")] = 4.0
    rows[1, column_of(env, "flat_stove_1_button")] = 4.0
    facts = misfit(tmp_path, rows).facts
    assert (facts["row"], facts["joint"]) == (1, "flat_stove_1_button")


def test_joints_a_little_beyond_their_limits_are_accepted(env: Environment, rows: np.ndarray, tmp_path: Path) -> None:
    for joint, value in (
        ("robot0_finger_joint1", 0.0405),
        ("wooden_cabinet_1_top_level", -0.163),
        ("robot0_joint4", -3.08),
    ):
        rows[:, column_of(env, joint)] = value
    for start in object_addresses(env.scene.model):
        rows[:, 1 + start + 3 : 1 + start + 7] *= 1 + 1e-6
    started = make(TASK, cameras=(), init_states=write_states(tmp_path / "goal.pruned_init", rows))
    started.reset(0)
    assert np.array_equal(started.scene.data.qpos, rows[0, 1:42])
