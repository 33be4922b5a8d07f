"""The command serve-policy, in this process; it is ended as Ctrl-C would."""

import hashlib
import threading

import numpy as np
import pytest
from two_robots import write_two_robots
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from ambidex.policies import checkpoint
from ambidex.policies.messages import ObservationMessage
from ambidex.policies.remote.array_codec import pack, unpack
from ambidex.policies.serve_policy import main, select_embodiment
from ambidex.policies.serving.fixed_batch import FixedBatch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_two_robots(tmp_path_factory.mktemp("run"))


def serve(monkeypatch, capsys, *words, meanwhile=lambda address: None):
    """Exit status and errors of the command; once it serves, `meanwhile` is called with its address."""

    class Interrupted:
        def wait(self):
            out.append(capsys.readouterr())
            meanwhile(out[0].out.strip())
            raise KeyboardInterrupt

    out = []
    with monkeypatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr("ambidex.policies.serve_policy.threading", type("", (), {"Event": Interrupted}))
        main(["--device", "cpu", *map(str, words)])
    return end.value.code, "".join(each.err for each in (*out, capsys.readouterr()))


def test_a_checkpoint_is_served_until_ctrl_c(folder, monkeypatch, capsys):
    answers = []

    def talk(address):
        with connect(address, compression=None) as connection:
            answers.append(unpack(connection.recv(10)))
            connection.send(pack(request))
            answers.append(unpack(connection.recv(10)))

    policy = checkpoint.load(folder)
    select_embodiment(policy, "panda", None)
    spec = policy.spec
    message = ObservationMessage(
        qpos=np.linspace(0, 1, 8, dtype=np.float32),
        objects=np.zeros(7 * len(spec.object_names), np.float32),
        images={"agentview": np.full((32, 32, 3), 99, np.uint8)},
        instruction=spec.instruction,
    )
    request = {"qpos": message.qpos, "images": dict(message.images), "prompt": spec.instruction}
    threads = threading.active_count()
    words = ("--checkpoint", folder, "--port", 0, "--robot", "panda")
    status, errors = serve(monkeypatch, capsys, *words, meanwhile=talk)
    assert status == 130 and "uniact, panda-ee" in errors and "AMBIDEX_API_KEY" not in errors
    sent, answer = answers
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert (sent["robot"], sent["weights_sha256"]) == ("panda", digest)
    expected = FixedBatch(policy, next(policy.parameters()).device, 1).answer([message])[0].actions
    np.testing.assert_array_equal(answer["actions"], expected)
    assert threading.active_count() == threads


def test_a_key_is_taken_from_the_environment_and_missed_on_a_network(folder, monkeypatch, capsys):
    def refused(address):
        with pytest.raises(InvalidStatus), connect(address.replace("0.0.0.0", "127.0.0.1")):
            pass

    words = ("--checkpoint", folder, "--port", 0, "--robot", "panda", "--host", "0.0.0.0", "--quiet")
    assert "AMBIDEX_API_KEY" in serve(monkeypatch, capsys, *words)[1]
    monkeypatch.setenv("AMBIDEX_API_KEY", "secret")
    status, errors = serve(monkeypatch, capsys, *words, meanwhile=refused)
    assert status == 130 and "AMBIDEX_API_KEY" not in errors


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--checkpoint", "nowhere"],
        ["--checkpoint", "{}"],
        ["--checkpoint", "{}", "--robot", "panda", "--control", "joint"],
        ["--checkpoint", "{}", "--robot", "panda", "--port", "-1"],
        ["--checkpoint", "{}", "--robot", "panda", "--device", "nothing"],
    ],
)
def test_wrong_usage(folder, monkeypatch, capsys, words):
    status, errors = serve(monkeypatch, capsys, *(word.format(folder) for word in words))
    assert status == 2 and errors.startswith("serve-policy: ")
