"""Files of initial states: those torch writes are read, everything else is refused and nothing of it runs."""

import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from ambidex.envs.tasks.libero.initial import state_file as init_states
from ambidex.envs.tasks.libero.initial.state_file import check_fit, read_init_states
from ambidex.errors import DatasetError

STATES = np.random.default_rng(0).normal(size=(4, 79))
# How LIBERO's files were written: by an old numpy, in protocol 2, the numbers as text to be encoded as latin-1.
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


def refusal(path: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        read_init_states(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_an_old_pickle_as_libero_has_them_is_read(tmp_path: Path) -> None:
    assert np.array_equal(read_init_states(archive(tmp_path, old_pickle(STATES))), STATES)


def test_the_old_pickle_is_what_pickle_would_read() -> None:
    """So that the test above tests what it says."""
    assert np.array_equal(pickle.loads(old_pickle(STATES).replace(b"numpy.core", b"numpy._core")), STATES)


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_pickles_of_this_numpy_are_read(tmp_path: Path, protocol: int, method: int) -> None:
    path = archive(tmp_path, pickle.dumps(STATES, protocol), method=method)
    assert np.array_equal(read_init_states(path), STATES)


def test_an_array_by_columns_is_read(tmp_path: Path) -> None:
    path = archive(tmp_path, pickle.dumps(np.asfortranarray(STATES), 2))
    assert np.array_equal(read_init_states(path), STATES)


def test_what_torch_saves_is_read(tmp_path: Path) -> None:
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
    assert "is refused" in refusal(archive(tmp_path, content))
    assert not (tmp_path / "made").exists()
    pickle.loads(content)
    assert (tmp_path / "made").exists()  # it would have


def test_a_call_in_place_of_the_numbers_is_refused(tmp_path: Path) -> None:
    content = old_pickle(STATES).replace(b"c_codecs\nencode\n", b"cos\nsystem\n")
    assert "'os.system'" in refusal(archive(tmp_path, content))


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
def test_what_is_no_array_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "is refused" in refusal(archive(tmp_path, content))


def test_a_memo_of_four_billion_entries_takes_no_memory(tmp_path: Path) -> None:
    assert "is refused" in refusal(archive(tmp_path, b"\x80\x02Nr\xff\xff\xff\xff."))


@pytest.mark.parametrize("value", [STATES.astype(np.float32), STATES.astype(np.int64), np.array(["a"], object)])
def test_arrays_of_other_numbers_are_refused(tmp_path: Path, value: np.ndarray) -> None:
    assert "is refused" in refusal(archive(tmp_path, pickle.dumps(value, 2)))


def test_numbers_in_the_other_order_are_refused(tmp_path: Path) -> None:
    assert "little-endian" in refusal(archive(tmp_path, old_pickle(STATES, order=">")))


def test_a_shape_that_does_not_match_the_numbers_is_refused(tmp_path: Path) -> None:
    message = refusal(archive(tmp_path, old_pickle(STATES, shape=(200, 79))))
    assert "(200, 79)" in message and f"{STATES.nbytes} bytes" in message


def test_every_cut_is_refused(tmp_path: Path) -> None:
    whole = old_pickle(STATES[:1, :3])
    for length in range(len(whole)):
        assert "is refused" in refusal(archive(tmp_path, whole[:length]))


def test_every_changed_byte_is_read_or_refused(tmp_path: Path) -> None:
    whole = old_pickle(STATES[:1, :3])
    for place in range(len(whole)):
        path = archive(tmp_path, whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        try:
            assert read_init_states(path).ndim == 2
        except DatasetError as error:
            assert str(path) in str(error)


@pytest.mark.parametrize("value", [np.zeros(5), np.zeros((2, 2, 2))])
def test_what_is_not_rows_of_numbers_is_refused(tmp_path: Path, value: np.ndarray) -> None:
    assert str(value.shape) in refusal(archive(tmp_path, pickle.dumps(value, 2)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_and_its_place_named(tmp_path: Path, value: float) -> None:
    states = STATES.copy()
    states[2, 5:7] = value
    assert f"row 2, number 5 (both from 0): got {value}" in refusal(archive(tmp_path, pickle.dumps(states, 2)))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "task.init"
    for content in (b"", b"PK\x03\x04", pickle.dumps(STATES)):
        path.write_bytes(content)
        assert "no sound zip archive" in refusal(path)
    assert "is no file" in refusal(tmp_path / "missing.init")
    assert "is no file" in refusal(tmp_path)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, pickle.dumps(STATES, 2), method=zipfile.ZIP_DEFLATED)
    whole = bytearray(path.read_bytes())
    whole[200] ^= 0xFF
    path.write_bytes(whole)
    assert "no sound zip archive" in refusal(path)


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
    assert "0 members" in refusal(archive(tmp_path, b"", member="archive/other.pkl"))
    path = archive(tmp_path, b"")
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("second/data.pkl", b"")
    assert "2 members" in refusal(path)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, bytes(2 * init_states.MAX_BYTES), method=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < init_states.MAX_BYTES
    assert "too large" in refusal(path)
    path.write_bytes(bytes(init_states.MAX_BYTES + 1))
    assert f"{init_states.MAX_BYTES + 1:,} bytes" in refusal(path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = bytes(3 * init_states.MAX_BYTES)
    path = archive(tmp_path, content, method=zipfile.ZIP_DEFLATED)
    whole = path.read_bytes().replace(struct.pack("<I", len(content)), struct.pack("<I", 1000))
    path.write_bytes(whole)
    assert len(zlib.compress(content)) < init_states.MAX_BYTES
    assert "no sound zip archive" in refusal(path)


def test_states_of_another_task_are_refused_with_both_sizes(tmp_path: Path) -> None:
    check_fit(STATES, nq=40, nv=38, path=tmp_path / "a.init", task="libero_goal/x")
    with pytest.raises(DatasetError, match=r"a\.init does not fit libero_spatial/y: .* 79 numbers, expected 92 "):
        check_fit(STATES, nq=48, nv=43, path=tmp_path / "a.init", task="libero_spatial/y")
