"""--adapt and --finetune: a UniAct that starts from the weights of another one."""

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
from ambidex.policies.train_policy import defaults_for, train_config
from ambidex.policies.training import setup
from ambidex.policies.training.train import train
from ambidex.policies.uniact.extractors.scratch import ScratchExtractor
from ambidex.policies.uniact.interpreters import registry
from ambidex.policies.uniact.interpreters.mlp_interpreter import MlpInterpreter
from ambidex.policies.uniact.interpreters.registry import InterpreterKind
from ambidex.policies.uniact.policy import UniActPolicy

pytestmark = pytest.mark.usefixtures("one_thread")
SHARED = ("model.extractor.", "model.codebook.")


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base")
    data = write_dataset(folder / "data", image_size=(48, 64), cameras=("top",))
    return train(settings(data, folder / "run", steps=3))


@pytest.fixture(scope="module", params=["same embodiment", "other embodiment"])
def data(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    if request.param == "other embodiment":
        return write_panda_dataset(folder, image_size=(32, 32))
    return write_dataset(folder, image_size=(48, 64), cameras=("top",), first_seed=50, instruction="something new")


def settings(data, run, **changes):
    changes = {"steps": 4, "save_every": 8, "validate_every": 2, "ema_decay": 0.0, **changes}
    return uniact_settings(data, run, **changes)


def first_weights(run):
    return json.loads((run / "train.json").read_text())["first_weights"]


def differing(one, other):
    ours, theirs = one.state_dict(), other.state_dict()
    return {name for name in ours.keys() & theirs.keys() if not torch.equal(ours[name], theirs[name])}


def test_adapting_does_not_change_the_extractor_and_the_codebook(base, data, tmp_path):
    before, after = load(base), load(train(settings(data, tmp_path / "run", adapt=base)))
    assert not {name for name in differing(before, after) if name.startswith(SHARED)}
    assert any(name.startswith("model.cameras.") for name in differing(before, after))
    assert after.model.extractor.tokenizer.to_json() == before.model.extractor.tokenizer.to_json()
    assert len(after.specs) == 1


@pytest.mark.parametrize("fresh", [False, True])
def test_a_known_interpreter_is_copied_unless_a_fresh_one_is_requested(base, tmp_path, fresh):
    same = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    frozen = {"steps": 1, "learning_rate": 0.0, "backbone_learning_rate": 0.0, "seed": 7}
    run = train(settings(same, tmp_path / "run", adapt=base, fresh_interpreter=fresh, **frozen))
    changed = {name for name in differing(load(base), load(run)) if ".temperature." not in name}
    assert all(name.startswith("model.domains.") for name in changed)
    assert any(".interpreter.head." in name for name in changed) == fresh
    assert any(".blind.head." in name for name in changed) == fresh
    end = "fresh interpreters: as requested." if fresh else "the interpreters of viperx_bimanual-joint."
    assert first_weights(run).endswith(f", with {end}")


def test_every_parameter_that_an_adaptation_trains_gets_a_gradient():
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


def test_fine_tuning_changes_all_modules(base, data, tmp_path):
    before, after = load(base), load(train(settings(data, tmp_path / "run", finetune=base)))
    for prefix in (*SHARED, "model.cameras."):
        assert any(name.startswith(prefix) for name in differing(before, after))


def test_fine_tuning_starts_from_the_weights_of_the_checkpoint(base, tmp_path):
    same = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    frozen = {"steps": 1, "learning_rate": 0.0, "backbone_learning_rate": 0.0}
    after = load(train(settings(same, tmp_path / "run", finetune=base, **frozen)))
    assert differing(load(base), after) <= {"model.codebook.temperature.step"}


@pytest.mark.parametrize("interpreter", ["auto", "MLP_1RGB_14DoFs"])
def test_a_copied_interpreter_predicts_the_same_with_other_statistics(interpreter, tmp_path, monkeypatch):
    kind = InterpreterKind(make=MlpInterpreter, views=1, actions=14, proprio=None)
    monkeypatch.setitem(registry.INTERPRETERS, "MLP_1RGB_14DoFs", kind)
    torch.manual_seed(0)
    config = make_config(interpreter=interpreter, blind_weight=1.0)
    spec, observation = make_spec(cameras=("top",), image_size=(48, 64)), make_observation(cameras=("top",))
    old, new = (UniActPolicy(config, spec, shifted(shift)).eval() for shift in (0.0, 0.4))
    new.init_from(old)
    assert torch.allclose(old.predict(observation), new.predict(observation), atol=1e-5)
    universal = old.model.codebook.fixed_code(3, 2)
    domains = [policy.model.domain(policy.embodiment) for policy in (old, new)]
    blind = [domain.actions.inverse(domain.blind(universal)) for domain in domains]
    assert torch.allclose(*blind, atol=1e-5)


def shifted(shift):
    """Statistics with other means and standard deviations, different in each dimension."""

    def moved(field):
        mean = tuple(value + shift * (i + 1) for i, value in enumerate(field.mean))
        return dataclasses.replace(
            field, mean=mean, std=tuple(value * (1 + shift * i) for i, value in enumerate(field.std))
        )

    plain = make_statistics()
    return dataclasses.replace(plain, qpos=moved(plain.qpos), actions=moved(plain.actions))


@pytest.mark.parametrize("changes", [{}, {"random_shift": 2}])
def test_features_are_computed_once_unless_images_are_augmented(base, data, tmp_path, monkeypatch, changes):
    calls, forward = [], ScratchExtractor.forward

    def counted(self, images, instructions):
        calls.append(len(images))
        return forward(self, images, instructions)

    monkeypatch.setattr(ScratchExtractor, "forward", counted)
    train(settings(data, tmp_path / "run", adapt=base, validation_fraction=0.0, **changes))
    assert calls == ([4] * 4 if changes else [27])


def test_an_interrupted_adaptation_is_resumed_with_the_same_bits(base, data, tmp_path):
    whole = train(settings(data, tmp_path / "whole", adapt=base))
    interrupt(settings(data, tmp_path / "run", adapt=base), 2)
    run = train(settings(data, tmp_path / "run", adapt=base, resume=True))
    assert same_tensors(tensors(whole, 4), tensors(run, 4))


def test_the_default_settings_are_those_of_the_checkpoint(base):
    words = ["--policy", "uniact", "--preset", "tiny", "--adapt", str(base)]
    assert defaults_for(words).model == settings(base, base).model
    for name, path in (("adapt", base), ("finetune", str(base))):
        config = train_config("uniact", "tiny", **{name: path})
        assert config.model == settings(base, base).model and getattr(config, name) == base


def test_settings_that_differ_from_the_checkpoint_are_listed(base, tmp_path):
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    run = train(settings(data, tmp_path / "run", adapt=base, model={"huber_delta": 0.5}))
    assert first_weights(run).endswith(" Settings that differ: --huber-delta was 0.1, now 0.5.")


def test_a_main_camera_of_the_checkpoint_that_the_data_lacks_must_be_set_again(base, tmp_path):
    panda = write_panda_dataset(tmp_path / "panda", image_size=(32, 32))
    first = train(settings(panda, tmp_path / "first", steps=1, model={"main_camera": "robot0_eye_in_hand"}))
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    begin = dataclasses.replace(settings(data, tmp_path / "run", adapt=first), model=load(first).config)
    with pytest.raises(UsageError, match="--main-camera top") as caught:
        train(begin)
    assert caught.value.facts["field"] == "main_camera"
    for i, camera in enumerate(("top", "")):
        own = dataclasses.replace(begin, output_dir=tmp_path / str(i), steps=1)
        run = train(dataclasses.replace(own, model=dataclasses.replace(begin.model, main_camera=camera)))
        assert load(run).inputs.cameras == ("top",)


def test_cameras_of_the_checkpoint_that_the_data_lacks_must_be_set_again(base, tmp_path):
    data = write_panda_dataset(tmp_path / "panda", image_size=(32, 32))
    begin = settings(data, tmp_path / "run", adapt=base, model={"cameras": ("top",)})
    with pytest.raises(UsageError) as caught:
        train(begin)
    assert (caught.value.facts["field"], caught.value.facts["got"]) == ("cameras", ("top",))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"adapt": "base", "finetune": "base"}, "--adapt and --finetune both"),
        ({"adapt": "base", "codes": 17}, "depend on other settings: --codes was 16, now 17.*Leave out --codes"),
        ({"fresh_interpreter": True}, "--fresh-interpreter requires --adapt or --finetune"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(base, data, tmp_path, monkeypatch, changes, message):
    monkeypatch.setattr("ambidex.policies.training.train.make_policy", None)  # before any weights are made
    codes = changes.get("codes", SMALL["codes"])
    flags = {name: base if value == "base" else value for name, value in changes.items() if name != "codes"}
    config = settings(data, tmp_path / "run", **flags)
    with pytest.raises(UsageError, match=message):
        train(dataclasses.replace(config, model=dataclasses.replace(config.model, codes=codes)))


def test_an_embodiment_with_other_cameras_gets_a_fresh_interpreter(base, tmp_path):
    cameras = ("top", "left_wrist")
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=cameras)
    run = train(settings(data, tmp_path / "run", adapt=base))
    assert load(run).inputs.cameras == cameras
    assert "fresh interpreters: those of the checkpoint are of other embodiments" in first_weights(run)


@pytest.mark.parametrize("flags", [{}, {"temperature_start": 1.5, "temperature_end": 1.0, "temperature_steps": 8}])
def test_the_temperature_continues_unless_flags_change_its_limits(base, tmp_path, flags):
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    run = train(settings(data, tmp_path / "run", finetune=base, model=flags))
    now = 1.25 if flags else 2.0 - 1.5 * 7 / 100  # after 4 steps, and after 3 and 4
    assert load(run).model.codebook.temperature().item() == pytest.approx(now)


def test_fine_tuning_caches_no_features(base, tmp_path, monkeypatch):
    cached = []
    monkeypatch.setattr(setup, "_cache_features", lambda *arguments: cached.append(arguments))
    data = write_dataset(tmp_path / "data", image_size=(48, 64), cameras=("top",))
    train(settings(data, tmp_path / "run", finetune=base, steps=1))
    assert not cached


def test_a_policy_of_one_embodiment_cannot_adapt(base, tmp_path):
    states = write_dataset(tmp_path / "data")
    model = dataclasses.replace(train_config("act", "tiny").model, backbone_weights="none")
    config = dataclasses.replace(train_config("act", "tiny"), data=(states,), output_dir=tmp_path / "run", adapt=base)
    with pytest.raises(UsageError, match="act shares no weights between embodiments; uniact does"):
        train(dataclasses.replace(config, model=model, device="cpu"))


def test_a_checkpoint_of_another_policy_is_refused(base):
    with pytest.raises(UsageError) as caught:
        defaults_for(["--policy", "act", "--finetune", str(base)])
    assert (caught.value.facts["got"], caught.value.facts["expected"]) == ("uniact", "act")
