"""A UniAct that begins with another one's weights."""

import dataclasses
import json

import pytest
import torch
from act_samples import make_observation, make_statistics
from synthetic_dataset import write_dataset
from synthetic_episode import make_spec
from synthetic_libero import write_panda_dataset
from training_runs import interrupt, same_tensors, tensors
from uniact_samples import CHUNK, SMALL, make_config, make_policy, uniact_settings

from ambidex.errors import UsageError
from ambidex.policies.batch import TrainingBatch
from ambidex.policies.checkpoint import load
from ambidex.policies.train import train
from ambidex.policies.train_policy import defaults, defaults_for
from ambidex.policies.training.setup import RobotStream
from ambidex.policies.uniact.extractor.scratch import ScratchExtractor
from ambidex.policies.uniact.interpreters import registry
from ambidex.policies.uniact.interpreters.mlp_interpreter import MlpInterpreter
from ambidex.policies.uniact.interpreters.registry import InterpreterKind
from ambidex.policies.uniact.policy import UniActPolicy

pytestmark = pytest.mark.usefixtures("one_thread")
KEPT = ("model.extractor.", "model.codebook.")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    data = write_dataset(folder / "data", image_size=(48, 64), cameras=("top",))
    return train(settings(data, folder / "run", steps=3))


@pytest.fixture(scope="module", params=["the same robot", "another robot"])
def data(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    if request.param == "another robot":
        return write_panda_dataset(folder, image_size=(32, 32))
    return write_dataset(folder, image_size=(48, 64), cameras=("top",), first_seed=50, instruction="something new")


def settings(data, run, **changes):
    changes = {"steps": 4, "save_every": 8, "validate_every": 2, "ema_decay": 0.0, **changes}
    return uniact_settings(data, run, **changes)


def differing(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return {name for name in ours.keys() & theirs.keys() if not torch.equal(ours[name], theirs[name])}


def test_adapting_keeps_the_extractor_and_the_codebook(base, data, tmp_path):
    before, after = load(base), load(train(settings(data, tmp_path / "run", adapt=base)))
    assert not {name for name in differing(before, after) if name.startswith(KEPT)}
    assert any(name.startswith("model.cameras.") for name in differing(before, after))
    assert after.model.extractor.tokenizer.to_json() == before.model.extractor.tokenizer.to_json()
    assert len(after.specs) == 1


@pytest.mark.parametrize("fresh", [False, True])
def test_a_known_interpreter_begins_where_it_was_or_afresh(base, tmp_path, fresh):
    same = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    still = {"steps": 1, "learning_rate": 0.0, "backbone_learning_rate": 0.0, "seed": 7}
    run = train(settings(same, tmp_path / "run", adapt=base, fresh_interpreter=fresh, **still))
    changed = {name for name in differing(load(base), load(run)) if ".temperature." not in name}
    assert all(name.startswith("model.domains.") for name in changed)
    assert any(".interpreter.head." in name for name in changed) == fresh
    assert any(".blind.head." in name for name in changed) == fresh
    told = json.loads((run / "train.json").read_text())["first_weights"]
    assert told.endswith(
        "; the interpreter begins afresh." if fresh else ", the interpreter of viperx_bimanual-joint too."
    )


def test_what_an_adaptation_trains_all_gets_a_gradient():
    policy = make_policy(blind_weight=0.3, cameras=("top",))
    policy.freeze_shared()
    batch = TrainingBatch(
        observation=make_observation(cameras=("top",)),
        actions=torch.randn(3, CHUNK, 14),
        is_pad=torch.zeros(3, CHUNK) > 0,
    )
    losses = policy.losses(batch)
    losses["loss"].backward()
    trained = {name: value.grad for name, value in policy.named_parameters() if value.requires_grad}
    assert not [name for name, grad in trained.items() if grad is None or not grad.any()]
    assert any(".blind." in name for name in trained)
    assert not {"divergence", "information"} & set(losses)


def test_fine_tuning_changes_everything_that_learns(base, data, tmp_path):
    before, after = load(base), load(train(settings(data, tmp_path / "run", finetune=base)))
    for prefix in (*KEPT, "model.cameras."):
        assert any(name.startswith(prefix) for name in differing(before, after))


def test_it_begins_where_the_checkpoint_ends(base, tmp_path):
    same = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    after = load(train(settings(same, tmp_path / "run", finetune=base, steps=1, learning_rate=0.0,
                                backbone_learning_rate=0.0)))  # fmt: skip
    assert differing(load(base), after) <= {"model.codebook.temperature.step"}


@pytest.mark.parametrize("interpreter", ["auto", "MLP_1RGB_14DoFs"])
def test_a_known_interpreter_does_the_same_whatever_the_statistics_are(interpreter, tmp_path, monkeypatch):
    kind = InterpreterKind(make=MlpInterpreter, views=1, actions=14, proprio=None)
    monkeypatch.setitem(registry.INTERPRETERS, "MLP_1RGB_14DoFs", kind)
    torch.manual_seed(0)
    config = make_config(interpreter=interpreter, blind_weight=1.0)
    spec, seen = make_spec(cameras=("top",), image_size=(48, 64)), make_observation(cameras=("top",))
    old, new = (UniActPolicy(config, spec, shifted(shift)).eval() for shift in (0.0, 0.4))
    new.init_from(old)
    assert torch.allclose(old.predict(seen), new.predict(seen), atol=1e-5)
    universal = old.model.codebook.fixed_code(3, 2)
    told = [p.model.domain(p.domain).actions.inverse(p.model.domain(p.domain).blind(universal)) for p in (old, new)]
    assert torch.allclose(*told, atol=1e-5)


def shifted(shift):
    """Statistics of data that lie elsewhere and spread further, each dimension differently."""

    def moved(field):
        mean = tuple(value + shift * (i + 1) for i, value in enumerate(field.mean))
        return dataclasses.replace(
            field, mean=mean, std=tuple(value * (1 + shift * i) for i, value in enumerate(field.std))
        )

    plain = make_statistics()
    return dataclasses.replace(plain, qpos=moved(plain.qpos), actions=moved(plain.actions))


@pytest.mark.parametrize("changes", [{}, {"random_shift": 2}])
def test_images_are_read_out_once_unless_they_vary(base, data, tmp_path, monkeypatch, changes):
    calls, forward = [], ScratchExtractor.forward

    def counted(self, images, instructions):
        calls.append(len(images))
        return forward(self, images, instructions)

    monkeypatch.setattr(ScratchExtractor, "forward", counted)
    train(settings(data, tmp_path / "run", adapt=base, validation_fraction=0.0, **changes))
    assert calls == ([4] * 4 if changes else [27])


def test_an_interrupted_adaptation_goes_on_to_the_same_bits(base, data, tmp_path):
    whole = train(settings(data, tmp_path / "whole", adapt=base))
    interrupt(settings(data, tmp_path / "run", adapt=base), 2)
    run = train(settings(data, tmp_path / "run", adapt=base, resume=True))
    assert same_tensors(tensors(whole, 4), tensors(run, 4))


def test_the_settings_are_those_of_the_checkpoint(base):
    words = ["--policy", "uniact", "--preset", "tiny", "--adapt", str(base)]
    assert defaults_for(words).model == defaults("uniact", "tiny", base=base).model == settings(base, base).model


def test_settings_that_are_not_those_of_the_checkpoint_are_said(base, tmp_path):
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    run = train(settings(data, tmp_path / "run", adapt=base, model={"huber_delta": 0.5}))
    told = json.loads((run / "train.json").read_text())["first_weights"]
    assert told.endswith(
        "the interpreter of viperx_bimanual-joint too. Settings of its own: --huber-delta was 0.1, now 0.5."
    )


def test_a_camera_of_the_checkpoint_that_the_data_lack_can_be_set_anew(base, tmp_path):
    seen = write_panda_dataset(tmp_path / "panda", image_size=(32, 32))
    first = train(settings(seen, tmp_path / "first", steps=1, model={"main_camera": "robot0_eye_in_hand"}))
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    begin = dataclasses.replace(settings(data, tmp_path / "run", adapt=first), model=load(first).config)
    with pytest.raises(UsageError, match=r"checkpoint to begin with\): .* Give --main-camera top, or --main-camera ''"):
        train(begin)
    for i, camera in enumerate(("top", "")):
        own = dataclasses.replace(begin, output_dir=tmp_path / str(i), steps=1)
        run = train(dataclasses.replace(own, model=dataclasses.replace(begin.model, main_camera=camera)))
        assert load(run).inputs.cameras == ("top",)


def test_cameras_of_the_checkpoint_that_the_data_lack_can_be_set_anew(base, tmp_path):
    data = write_panda_dataset(tmp_path / "panda", image_size=(32, 32))
    begin = settings(data, tmp_path / "run", adapt=base, model={"cameras": ("top",)})
    with pytest.raises(UsageError, match=r"images of top \(from .* Give --cameras with some of those, or without"):
        train(begin)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adapt": "base", "finetune": "base"}, "--adapt and --finetune both"),
        ({"adapt": "base", "codes": 17}, r"asked for: --codes was 16, now 17\. Leave out"),
        ({"fresh_interpreter": True}, "--fresh-interpreter goes with --adapt or --finetune"),
    ],
)
def test_what_does_not_fit_is_refused(base, data, tmp_path, changes, message):
    codes = changes.get("codes", SMALL["codes"])
    flags = {name: base if value == "base" else value for name, value in changes.items() if name != "codes"}
    config = settings(data, tmp_path / "run", **flags)
    with pytest.raises(UsageError, match=message):
        train(dataclasses.replace(config, model=dataclasses.replace(config.model, codes=codes)))


def test_a_robot_with_other_cameras_gets_a_fresh_interpreter(base, tmp_path):
    cameras = ("top", "left_wrist")
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=cameras)
    run = train(settings(data, tmp_path / "run", adapt=base))
    assert load(run).inputs.cameras == cameras
    assert (
        "the interpreter is new: those of the checkpoint are of other robots"
        in json.loads((run / "train.json").read_text())["first_weights"]
    )


@pytest.mark.parametrize("flags", [{}, {"temperature_start": 1.5, "temperature_end": 1.0, "temperature_steps": 8}])
def test_the_temperature_goes_on_unless_flags_say_otherwise(base, tmp_path, flags):
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    run = train(settings(data, tmp_path / "run", finetune=base, model=flags))
    now = 1.25 if flags else 2.0 - 1.5 * 7 / 100  # after 4 steps, and after 3 and 4
    assert load(run).model.codebook.temperature().item() == pytest.approx(now)


def test_without_anything_to_keep_no_frame_is_read_before_the_first_step(base, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(RobotStream, "keep_readouts", lambda *arguments: read.append(arguments))
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    train(settings(data, tmp_path / "run", finetune=base, steps=1))
    assert not read


def test_a_policy_of_one_robot_cannot_adapt(base, tmp_path):
    states = write_dataset(tmp_path / "data")
    model = dataclasses.replace(defaults("act", "tiny").model, backbone_weights="none")
    config = dataclasses.replace(defaults("act", "tiny"), data=(states,), output_dir=tmp_path / "run", adapt=base)
    with pytest.raises(UsageError, match="act shares nothing among robots; uniact does"):
        train(dataclasses.replace(config, model=model, device="cpu"))


def test_a_checkpoint_of_another_policy_is_refused(base):
    with pytest.raises(UsageError, match="is a checkpoint of uniact, and --policy is act"):
        defaults_for(["--policy", "act", "--finetune", str(base)])
