"""Benchmarks of policies on a fake server of openpi's protocol."""

import gc
import json
import re
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
import torch
from benchmarking_fakes import FIRST, arrays_of, rows_of
from fake_policy_server import FakePolicyServer, HangUpError
from history_policy import EncodingPolicy
from PIL import Image
from recording_fakes import record_to
from toy_policy import ToyPolicy, write_checkpoint

from ambidex.benchmarks.comparison.compare import compare
from ambidex.benchmarks.comparison.config import CompareConfig
from ambidex.benchmarks.evaluation.benchmark import benchmark
from ambidex.benchmarks.evaluation.config import BenchmarkConfig
from ambidex.benchmarks.evaluation.plan import make_plan
from ambidex.benchmarks.gallery.report import REPORT
from ambidex.benchmarks.remote.agents import remote_environment, state_parts
from ambidex.benchmarks.remote.first_exchange import check_policy
from ambidex.benchmarks.results.first_request import digests
from ambidex.benchmarks.results.info import BenchmarkInfo
from ambidex.benchmarks.results.states import EpisodeStates
from ambidex.benchmarks.run_benchmark import main
from ambidex.envs.env import make
from ambidex.errors import AmbidexError, RemoteConnectionError, RemotePolicyError, UsageError
from ambidex.policies.messages import Chunk
from ambidex.policies.remote.array_codec import pack
from ambidex.policies.remote.layouts import find_layout
from ambidex.policies.remote.policy_server import RemotePolicyServer
from ambidex.policies.serving.batcher import RequestBatcher
from ambidex.policies.serving.execution import ChunkExecution
from ambidex.policies.serving.server import describe
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.formats.libero.proprioception import proprioception

TASK = "libero_goal/1"
LIBERO = BenchmarkConfig(
    policy="remote", layout="libero", task=TASK, episodes=3, horizon=11, video="none", workers=0, quiet=True
)
METADATA = {"horizon": 10, "mean": np.ones(2), "gain": float("nan"), "deep": reduce(lambda v, _: [v], range(300), 0)}
ALOHA = replace(LIBERO, layout="aloha", task="insertion", horizon=12)
ALOHA_HERE = replace(ALOHA, url="ws://127.0.0.1:8000")


@pytest.fixture(autouse=True, scope="module")
def _garbage_is_collected_on_this_thread():
    """A server's thread must not free the OpenGL context of an environment, which is current on this one."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def policy_of_libero(request, number=0):
    """Ten actions that depend on everything in a request."""
    colours = [request[key].mean((0, 1)) / 255 for key in ("observation/image", "observation/wrist_image")]
    inputs = np.concatenate([request["observation/state"], *colours, [len(request["prompt"]) / 100]])
    return {
        "actions": np.sin(np.outer(np.arange(1, 11), inputs[:7]) + 7 * inputs[7:14]),
        "server_timing": {"infer_ms": 2},
    }


def still_aloha(request, number=0):
    return {"actions": np.tile(request["state"], (20, 1))}


class LocalAgent:
    """The same policy without a server."""

    def __init__(self, env):
        layout = find_layout("libero", "libero")

        def predict(observation):
            request = layout.request(observation, state_parts(env, observation))
            return Chunk(actions=policy_of_libero(request)["actions"].astype(np.float32))

        chunks = ChunkExecution(predict, 5)
        self.reset, self.act = chunks.reset, chunks.act


def run(server, directory, config=LIBERO, **changes):
    return benchmark(replace(config, url=server.url, output_dir=directory, **changes))


@pytest.fixture(scope="module")
def remote_results(tmp_path_factory):
    """Results of two workers, and the requests that the server got."""
    directory = tmp_path_factory.mktemp("remote") / "results"
    with FakePolicyServer(policy_of_libero, greeting=pack(METADATA)) as server:
        summary = run(server, directory, workers=2, policy_name="sine")
        return summary, server.requests


@pytest.fixture(scope="module")
def local_results(tmp_path_factory):
    """The folder with results of the same policy without a server."""
    directory = tmp_path_factory.mktemp("local") / "results"
    benchmark(replace(LIBERO, policy="local", layout=None, output_dir=directory), agent_factory=LocalAgent)
    return directory


def test_two_workers_do_what_the_same_policy_does_without_a_server(remote_results, local_results):
    summary, _ = remote_results
    found, expected = arrays_of(summary.directory), arrays_of(local_results)
    assert list(found) == list(expected) and len(found) == 3
    for name, arrays in found.items():
        np.testing.assert_array_equal(arrays["states"], expected[name]["states"])
    assert len({row["initial_state_sha256"] for row in rows_of(local_results)}) == 3


def test_results_say_who_was_asked_and_how_long_it_took(remote_results):
    summary, requests = remote_results
    info = BenchmarkInfo.read(summary.directory)
    assert (info.policy, info.execution, info.config["layout"]) == ("sine", "chunk:5", "libero")
    assert info.config["url"].startswith("ws://127.0.0.1:")
    stored = dict(info.remote.metadata)
    assert "..." in str(stored.pop("deep")) and stored == {"horizon": 10, "mean": [1.0, 1.0], "gain": "nan"}
    assert info.remote.notes == ()
    for row in rows_of(summary.directory):
        assert (row["policy"], row["execution"], row["steps"]) == ("sine", "chunk:5", 11)
        assert len(row["request_ms"]) == 3 and min(row["request_ms"]) > 0 and row["infer_ms"] == [2.0] * 3
    assert len(requests) == 2 + 3 * 3  # the first observation twice, then every five steps of eleven
    suite = summary.to_dict()["tasks"][info.env_specs and next(iter(info.env_specs))]
    assert (
        suite["requests"] == 9 and suite["infer_ms_p95"] == 2 and 0 < suite["request_ms_p50"] <= suite["request_ms_p95"]
    )
    assert "9 requests" in str(summary)


def test_rows_have_digests_of_the_first_request_of_their_episode(remote_results):
    summary, requests = remote_results
    sent = [digests(request) for request in requests]
    for row in rows_of(summary.directory):
        assert row["first_request"] in sent
        assert {"observation/image", "observation/state", "prompt"} <= set(row["first_request"])
    assert len({row["first_request"]["observation/image"] for row in rows_of(summary.directory)}) == 3


def test_the_page_and_other_commands_read_such_results(remote_results, local_results):
    summary, requests = remote_results
    page = (summary.directory / REPORT).read_text()
    assert "first image of agentview, as sent" in page and "data:image/jpeg;base64," in page
    with Image.open(summary.directory / "first_request" / "agentview.png") as image:
        np.testing.assert_array_equal(np.asarray(image), requests[0]["observation/image"])
    (comparison,) = compare(CompareConfig(results=(summary.directory, local_results)))
    assert comparison.a.policy == "sine, chunk:5"


def test_what_is_sent_is_the_state_of_the_robot_and_the_mirrored_view(remote_results):
    _, requests = remote_results
    with make(TASK) as env:
        observation = env.reset(FIRST)
        before = env.scene.state()
        parts = state_parts(env, observation)
        np.testing.assert_array_equal(env.scene.state(), before)
        robot = proprioception(env, observation.state[None])
        image = observation.image("agentview")
    np.testing.assert_array_equal(np.r_[parts["ee_pos"], parts["ee_axis_angle"]], robot.ee_states[0])
    np.testing.assert_array_equal(parts["gripper_qpos"], robot.gripper_states[0])
    assert parts["gripper_closed"] == pytest.approx(1 - observation.qpos[7:])
    expected = np.r_[robot.ee_states[0], robot.gripper_states[0]].astype(np.float32)
    np.testing.assert_array_equal(requests[0]["observation/state"], expected)
    small = np.asarray(Image.fromarray(image[:, ::-1]).resize((224, 224), Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(requests[0]["observation/image"], small)


def test_a_policy_of_aloha_acts(tmp_path):
    with FakePolicyServer(still_aloha) as server:
        summary = run(server, tmp_path / "results", ALOHA, episodes=1)
    assert (summary.overall.n, summary.overall.errors) == (1, 0) and len(server.requests) == 2 + 2
    actions = EpisodeStates.read(next((tmp_path / "results" / "states").rglob("*.npz"))).actions
    np.testing.assert_array_equal(actions[0], server.requests[2]["state"])


def looking_back(spec):
    return EncodingPolicy(spec, history=3, stride=2, objects=True)


@pytest.mark.parametrize("kind", [ToyPolicy, looking_back])
def test_our_own_server_gives_the_results_of_the_policy_without_it(tmp_path, kind):
    with make("insertion", cameras=("top",), image_size=(24, 32)) as env:
        policy = kind(env.spec)
    config = replace(ALOHA, layout="ambidex", episodes=2, horizon=60)
    batcher = RequestBatcher(policy, torch.device("cpu"))
    with RemotePolicyServer(describe(policy), batcher.predict) as server:
        remote = benchmark(replace(config, url=server.address, output_dir=tmp_path / "remote"))
    batcher.close()
    checkpoint = write_checkpoint(tmp_path / "checkpoints" / "100")
    direct = replace(
        config, policy="act", layout=None, checkpoint=checkpoint, device="cpu", output_dir=tmp_path / "direct"
    )
    benchmark(direct, load=lambda path: kind(env.spec))
    assert (
        remote.info.execution == f"chunk:{policy.chunk_size}" and remote.info.remote.metadata["robot"] == env.spec.robot
    )
    found, expected = arrays_of(tmp_path / "remote"), arrays_of(tmp_path / "direct")
    assert list(found) == list(expected) and len(found) == 2
    for name, arrays in found.items():
        np.testing.assert_array_equal(arrays["states"], expected[name]["states"])


def test_a_window_is_sent_once_and_whole_after_a_lost_connection(tmp_path):
    lost = {4: HangUpError()}
    described = {"history": 3, "stride": 2, "execute_steps": 4, "cameras": ("top",), "image_size": (24, 32)}
    with make("insertion", cameras=("top",), image_size=(24, 32)) as env:
        names = {"state": {"qpos": env.spec.joint_names}, "action_names": env.spec.action_names}
        traits = {name: getattr(env.spec, name) for name in ("robot", "control", "control_hz", "dynamics")}
        greeting = pack({**described, **names, **traits, "render_quality": "standard"})

    def answer(request, number):
        if number in lost:
            raise lost.pop(number)
        return {"actions": np.tile(request["qpos"][-1], (4, 1))}

    with FakePolicyServer(answer, greeting=greeting) as server:
        summary = run(server, tmp_path / "results", replace(ALOHA, layout="ambidex"), episodes=1)
    assert summary.overall.errors == 0
    sent = [(request["step"], request["steps"].tolist()) for request in server.requests]
    first, hung_up, again = (0, [0]), (8, [6, 8]), (8, [4, 6, 8])
    assert sent == [first, first, first, (4, [2, 4]), hung_up, again]
    assert [request["images"]["top"].shape for request in server.requests[3:]] == [
        (2, 24, 32, 3),
        (2, 24, 32, 3),
        (3, 24, 32, 3),
    ]
    assert server.requests[5]["qpos"].shape == (3, 14)


def test_a_described_policy_must_fit_the_task(tmp_path):
    with make("insertion", cameras=()) as env:
        policy = ToyPolicy(env.spec, cameras=(), objects=True)
        policy.instructions = (env.spec.instruction,)
    batcher = RequestBatcher(policy, torch.device("cpu"))
    described = replace(ALOHA, layout="ambidex", output_dir=tmp_path)
    with RemotePolicyServer(describe(policy), batcher.predict) as server:
        for config, difference in (
            (replace(described, task=TASK), "robot"),
            (replace(described, task="transfer_cube"), "object_names"),
            (replace(described, task="transfer_cube"), "instruction"),
            (replace(described, control="ee"), "ee"),
        ):
            with pytest.raises(UsageError) as caught:
                benchmark(replace(config, url=server.address))
            assert difference in str(caught.value.facts["got"])
    batcher.close()


def test_a_server_is_sent_the_paraphrases_of_the_rows(tmp_path):
    with FakePolicyServer(policy_of_libero) as server:
        summary = run(server, tmp_path / "results", replace(LIBERO, perturb=("camera", "language:2")), episodes=2)
    told = [row["perturbed"]["language"]["instruction"] for row in rows_of(tmp_path / "results")]
    assert summary.overall.errors == 0
    # The first observation twice, then three requests in each episode.
    assert [request["prompt"] for request in server.requests] == [told[0]] * 5 + [told[1]] * 3
    assert not any(text.startswith("put") for text in told)


def test_a_described_policy_is_not_told_what_it_does_not_know(tmp_path):
    with make("insertion", cameras=()) as env:
        policy = ToyPolicy(env.spec, cameras=(), objects=True)
    config = replace(ALOHA, layout="ambidex", output_dir=tmp_path, perturb=("language",))
    for known, reason in (((), "no instruction"), ((env.spec.instruction,), "knows only")):
        policy.instructions = known
        policy.inputs = replace(policy.inputs, instruction=bool(known))
        batcher = RequestBatcher(policy, torch.device("cpu"))
        with RemotePolicyServer(describe(policy), batcher.predict) as server, pytest.raises(UsageError, match=reason):
            benchmark(replace(config, url=server.address))
        batcher.close()


def test_an_error_of_the_policy_is_an_error_row_with_its_traceback(tmp_path):
    bad = {
        3: "Traceback\nValueError: boom",
        5: {"actions": np.full((20, 14), np.nan)},
        7: {"actions": np.zeros((5, 14))},
    }
    with FakePolicyServer(lambda request, number: bad.get(number) or still_aloha(request)) as server:
        summary = run(server, tmp_path / "results", ALOHA, episodes=4)
    texts = [row["error"] for row in rows_of(tmp_path / "results")]
    assert summary.complete and summary.overall.errors == 3
    assert "ValueError: boom\nTraceback" in texts[0] and "nan" in texts[1] and "5 actions" in texts[2] and not texts[3]
    assert len(summary.describe_errors().splitlines()) == 1


def test_a_server_that_dies_is_no_failure_and_the_run_resumes(tmp_path):
    def answer(request, number):
        if number >= 7:  # an episode has two requests, after two in advance
            raise HangUpError
        return still_aloha(request)

    with FakePolicyServer(answer) as server:
        with pytest.raises(AmbidexError, match=re.escape("--resume")):
            run(server, tmp_path / "results", ALOHA, workers=2)
        assert [path.name for path in (tmp_path / "results" / "first_request").iterdir()] == ["top.png"]
        rows = rows_of(tmp_path / "results")
        assert 1 <= len(rows) < 3 and all(row["outcome"] == "failure" for row in rows)
    with FakePolicyServer(still_aloha) as another:
        summary = benchmark(
            BenchmarkConfig(resume=True, url=another.url, output_dir=tmp_path / "results", workers=0, quiet=True)
        )
    assert summary.complete and summary.overall.errors == 0
    assert len({(tuple(row["checks"].items()), row["steps"]) for row in rows_of(tmp_path / "results")}) == 1


def test_another_policy_is_not_resumed(tmp_path):
    with FakePolicyServer(still_aloha) as server:
        run(server, tmp_path / "results", ALOHA, episodes=1)
    with (
        FakePolicyServer(still_aloha, greeting=pack({"name": "another"})) as server,
        pytest.raises(UsageError) as caught,
    ):
        run(server, tmp_path / "results", ALOHA, episodes=2, resume=True)
    assert any("another policy" in difference for difference in caught.value.facts["got"])


def test_answers_that_differ_are_said_not_to_be_repeatable(tmp_path):
    def answer(request, number):
        return {"actions": still_aloha(request)["actions"] + 1e-6 * number}

    with FakePolicyServer(answer) as server:
        summary = run(server, tmp_path / "results", ALOHA, episodes=1)
    (note,) = summary.info.remote.notes
    assert note in str(summary)


def test_a_policy_that_is_told_of_episodes_gets_one_session_for_each(tmp_path):
    def answer(request, number):
        return "reset successful" if request["endpoint"] == "reset" else still_aloha(request)["actions"][None]

    with FakePolicyServer(answer, greeting=pack({"needs_session_id": True})) as server:
        summary = run(server, tmp_path / "results", ALOHA, episodes=2)
    assert summary.overall.errors == 0
    sessions = [request["session_id"] for request in server.requests if request["endpoint"] == "reset"]
    assert sessions[0] == sessions[1] == sessions[2] != sessions[3]


def test_lerobot_ambidex_sends_what_our_lerobot_datasets_have(tmp_path):
    record_to(tmp_path, num_episodes=1, format="lerobot", workers=0)
    others = [f"observation.images.{camera}=none" for camera in ("left_wrist", "right_wrist")]
    layout = find_layout("lerobot_ambidex", "aloha", others, (24, 32))
    with (
        read(tmp_path)[0] as stored,
        remote_environment("insertion", layout, make_plan(ALOHA_HERE).task_settings) as env,
    ):
        observation = env.reset(stored.episode.seed)
        request = layout.request(observation, state_parts(env, observation))
        frame, state = stored.frame("top", 0), stored.episode.qpos[0]
    features = json.loads((tmp_path / "meta" / "info.json").read_text())["features"]
    assert {key for key in features if key.startswith("observation.")} == set(request) - {"task"}
    np.testing.assert_array_equal(request["observation.state"], state[None])
    image = 255 * request["observation.images.top"][0].transpose(1, 2, 0)
    straight, mirrored, turned = (np.abs(each - frame).mean() for each in (image, image[:, ::-1], image[::-1]))
    assert straight < mirrored and straight < 6 < turned
    assert request["task"] == [env.spec.instruction]


def test_a_size_is_for_layouts_whose_server_does_not_say_it():
    config = replace(ALOHA_HERE, image_size=(24, 32))
    assert make_plan(config).layout.image_size == (24, 32)
    with pytest.raises(UsageError):
        make_plan(replace(config, layout="ambidex"))
    with pytest.raises(UsageError):
        make_plan(BenchmarkConfig(policy="hold", task="insertion", image_size=(24, 32)))


@pytest.mark.parametrize(("resolution", "size"), [([90, 160], (90, 160)), ([90], None), ("big", None), ([0, 9], None)])
def test_images_have_the_size_that_the_server_asks_for(resolution, size):
    greeting = pack({"image_resolution": resolution})
    with FakePolicyServer(still_aloha, greeting=greeting) as server:
        config = replace(ALOHA, url=server.url, check=True)
        if size is None:
            with pytest.raises(RemotePolicyError, match="image_resolution"):
                check_policy(config, str)
        else:
            check_policy(config, str)
            assert server.requests[0]["images"]["cam_high"].shape == (3, *size)


@pytest.mark.parametrize("positions", [False, True])
def test_droid_actions_become_joint_actions(tmp_path, positions):
    actions = np.float32([[0.1] * 7 + [0.9]] * 10)
    config = replace(LIBERO, layout="droid", episodes=1, horizon=2)
    greeting = pack({"action_space": "joint_position"} if positions else {})
    with FakePolicyServer(lambda request, number: {"actions": actions}, greeting=greeting) as server:
        run(server, tmp_path / "results", config)
    sent = EpisodeStates.read(next((tmp_path / "results" / "states").rglob("*.npz"))).actions
    joints = server.requests[0]["observation/joint_position"]
    expected = np.full(7, 0.1) if positions else joints + 0.1 * 3.0 / 20
    np.testing.assert_allclose(sent[0], [*expected, 0.0], atol=1e-6)


def test_check_prints_what_is_sent_and_what_comes_back(tmp_path, capsys):
    with FakePolicyServer(still_aloha) as server, pytest.raises(SystemExit) as ended:
        flags = f"--url {server.url} --layout aloha --task insertion --check --output-dir {tmp_path}"
        main(["--policy", "remote", *flags.split()])
    lines = capsys.readouterr().out.splitlines()
    assert ended.value.code == 0 and len(server.requests) == 2
    assert any(re.match(r"images/cam_high +uint8 +\(3, 224, 224\).* top$", line) for line in lines)
    assert any(re.match(r"actions +float32 +\(20, 14\)", line) for line in lines)
    assert [path.name for path in tmp_path.iterdir()] == ["top.png"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (lambda request, number: {"actions": np.zeros((20, 7))}, RemotePolicyError),
        (lambda request, number: "Traceback\nKeyError: 'observation/image'", RemotePolicyError),
        (lambda request, number: {"actions": np.zeros((3, 14))}, UsageError),
    ],
)
def test_check_shows_what_was_sent_and_fails_if_the_policy_does(answer, error, tmp_path):
    shown = []
    with FakePolicyServer(answer) as server, pytest.raises(error):
        check_policy(replace(ALOHA, url=server.url, execute_steps=5, output_dir=tmp_path), shown.append)
    (request,) = shown
    assert "images/cam_high" in str(request) and [path.name for path in tmp_path.iterdir()] == ["top.png"]


def test_without_a_server_nothing_is_written(tmp_path):
    with FakePolicyServer() as server:
        pass
    with pytest.raises(RemoteConnectionError):
        run(server, tmp_path / "results", ALOHA)
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"url": None},
        {"layout": None},
        {"url": "127.0.0.1:8000"},
        {"url": "http://127.0.0.1:8000"},
        {"url": "ws://"},
        {"url": "ws://host:port"},
        {"layout": "pi0"},
        {"layout": "libero"},
        {"policy_name": "../x"},
        {"timeout": 0},
        {"control": "ee"},
        {"checkpoint": "runs/x"},
        {"map": ("top",)},
        {"policy": "hold"},
    ],
)
def test_wrong_flags_are_refused(changes):
    with pytest.raises(UsageError):
        make_plan(replace(ALOHA, **{"url": "ws://127.0.0.1:8000", **changes}))


@pytest.mark.parametrize("name", ["url", "layout"])
def test_only_the_flag_that_is_missing_is_named(name):
    with pytest.raises(UsageError) as caught:
        make_plan(replace(ALOHA, **{"url": "ws://127.0.0.1:8000", name: None}))
    assert caught.value.facts["got"] == [f"--{name}"]


def test_results_are_named_after_the_policy():
    plan = make_plan(replace(ALOHA, url="ws://127.0.0.1:8000", policy_name="pi0", execute_steps=5))
    assert str(plan.directory) == "results/remote-pi0-insertion-chunk5"
    assert "--url ws://127.0.0.1:8000 --layout aloha --policy-name pi0" in plan.resume_command
