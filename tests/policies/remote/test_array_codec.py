import msgpack
import numpy as np
import pytest

from ambidex.policies.remote.array_codec import ARRAY, DATA, DTYPE, SCALAR, SHAPE, InvalidMessageError, pack, unpack

GOLDEN = (  # written by hand from the layout of msgpack and the keys of openpi's client
    "82"  # a map of two
    "aa" + b"joint/qpos".hex() + "84"  # text of 10; a map of four
    "c40b" + b"__ndarray__".hex() + "c3"  # bytes of 11; true
    "c404" + b"data".hex() + "c408" + "0000c03f" + "000000c0"  # 1.5 and -2.0, little-endian
    "c405" + b"dtype".hex() + "a3" + b"<f4".hex() + "c405" + b"shape".hex() + "920102"  # [1, 2]
    "a6" + b"prompt".hex() + "a2" + b"go".hex()
)
GOLDEN_SCALAR = (
    "83" + "c40d" + b"__npgeneric__".hex() + "c3" + "c404" + b"data".hex() + "07" + "c405" + b"dtype".hex()
) + ("a3" + b"|u1".hex())
ARRAYS = [
    *(np.array([[0, 1], [1, 0]], dtype) for dtype in ("?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f8")),
    np.array(2.5, np.float32),  # 0-d
    np.zeros((0, 3), np.float32),
    np.arange(12, dtype=np.int16).reshape(3, 4)[::2, ::-1],  # not contiguous
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.array([1, 2, 3], ">f4"),
    np.array(["left", "ü"]),
    np.array("left"),
    np.array([b"ab", b"c"]),
]


def array_map(**changes: object) -> bytes:
    fields: dict[bytes, object] = {ARRAY: True, DATA: bytes(8), DTYPE: "<f4", SHAPE: [2]}
    return bytes(msgpack.packb({"x": fields | {key.encode(): value for key, value in changes.items()}}))


def scalar_map(data: object, dtype: str) -> bytes:
    return bytes(msgpack.packb({SCALAR: True, DATA: data, DTYPE: dtype}))


HOSTILE = {
    "empty": b"",
    "unused byte": b"\xc1",
    "incomplete": pack({"a": 1})[:-1],
    "two messages": pack(1) + pack(2),
    "list of 4 billion": b"\xdd\xff\xff\xff\xff",
    "map of 4 billion": b"\xdf\xff\xff\xff\xff",
    "text of 4 GB": b"\xdb\xff\xff\xff\xff",
    "nested deeply": b"\x91" * 100_000 + b"\x01",
    "a million lists": b"\xdc\x01\x00" + 256 * (b"\xdc\x0f\xa0" + 4000 * b"\x90"),
    "a million maps": b"\xdc\x01\x00" + 256 * (b"\xdc\x0f\xa0" + 4000 * b"\x80"),
    "extension": b"\xd4\x01\x00",
    "key of another type": b"\x81\x90\x01",
    "key of bytes": b"\x81\xc4\x01a\x01",
    "text that is no UTF-8": b"\xa1\xff",
    "objects": array_map(dtype="|O"),
    "structure": array_map(dtype="f4,f4"),
    "complex": array_map(dtype="<c8"),
    "no such type": array_map(dtype="<f3"),
    "type of no bytes": array_map(dtype="<U0"),
    "type of 4 GB": array_map(dtype="<U999999999", shape=[0]),
    "type that is no text": array_map(dtype=["<f4"]),
    "another shape": array_map(shape=[3]),
    "huge shape": array_map(shape=[2**62, 2**3]),
    "huge and empty": array_map(shape=[0, 2**62, 2**62], data=b""),
    "negative shape": array_map(shape=[-1, -2]),
    "shape of booleans": array_map(shape=[True, 2]),
    "shape that is no list": array_map(shape=2),
    "too many dimensions": array_map(shape=[1] * 65 + [2]),
    "data of text": array_map(data="12345678"),
    "character that does not exist": array_map(dtype="<U1", data=b"\xff" * 8),
    "missing fields": bytes(msgpack.packb({ARRAY: True})),
    "scalar out of range": scalar_map(300, "|u1"),
    "scalar that would be allocated": scalar_map(2**40, "|S1"),
    "scalar of a list": scalar_map([1, 2], "<f4"),
}


def test_bytes_are_those_of_openpi() -> None:
    message = {"joint/qpos": np.array([[1.5, -2.0]], np.float32), "prompt": "go"}
    assert pack(message).hex() == GOLDEN
    assert pack(np.uint8(7)).hex() == GOLDEN_SCALAR


def test_golden_bytes_are_read() -> None:
    message = unpack(bytes.fromhex(GOLDEN))
    assert list(message) == ["joint/qpos", "prompt"]
    assert message["joint/qpos"].tolist() == [[1.5, -2.0]]
    scalar = unpack(bytes.fromhex(GOLDEN_SCALAR))
    assert (scalar, type(scalar)) == (7, np.uint8)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype.str}{array.shape}")
def test_arrays_come_back_and_can_be_written_to(array: np.ndarray) -> None:
    back = unpack(pack([array]))[0]
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert np.array_equal(back, array)
    assert back.flags.writeable and back.flags.owndata


@pytest.mark.parametrize("value", [None, True, -3, 2**63, 0.1, "text", b"bytes", {"a": [1, {"b": []}]}])
def test_plain_values_come_back(value: object) -> None:
    assert unpack(pack(value)) == value


@pytest.mark.parametrize("value", [np.bool_(True), np.int64(-5), np.float32(0.1), np.float16(2)])
def test_scalars_keep_their_type(value: np.generic) -> None:
    back = unpack(pack(value))
    assert (back, type(back)) == (value, type(value))


@pytest.mark.parametrize(
    "value",
    [np.array([None]), np.array([1j]), np.complex64(1), np.zeros(1, "i4,f4"), object(), {1, 2}, 2**64],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_sent_is_refused(value: object) -> None:
    with pytest.raises(InvalidMessageError):
        pack({"value": value})


def test_a_message_in_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidMessageError):
        pack(endless)


@pytest.mark.parametrize("frame", HOSTILE.values(), ids=HOSTILE)
def test_hostile_frames_give_one_error(frame: bytes) -> None:
    with pytest.raises(InvalidMessageError) as info:
        unpack(frame)
    assert info.value.facts["size"] == len(frame)
