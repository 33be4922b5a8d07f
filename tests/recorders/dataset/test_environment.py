"""A dataset of a user's definition stays usable when the file is moved or edited."""

from dataclasses import replace

import numpy as np
import pytest
from definition_text import TEXT, changed
from recording_fakes import STATES, record_to
from still_agent import StillAgent

from ambidex.errors import DatasetError, UsageError
from ambidex.recorders.dataset.dataset import read
from ambidex.recorders.dataset.environment import DEFINITION_COPY, stored_environment
from ambidex.recorders.recording.worker import RecordWorker
from ambidex.recorders.rendering.config import RenderConfig
from ambidex.recorders.rendering.render import render
from ambidex.recorders.verification.verify import verify

OWN = replace(STATES, task="", cameras=(), num_episodes=1, format="libero", workers=0)


@pytest.fixture
def own(tmp_path):
    path = tmp_path / "my_task.bddl"
    path.write_text(TEXT)
    return path


@pytest.fixture(params=["libero", "act"])
def dataset(own, tmp_path, request):
    directory = tmp_path / "data"
    (summary,) = record_to(directory, OWN, StillAgent, bddl_file=own, format=request.param)
    assert summary.complete and (directory / DEFINITION_COPY).read_text() == TEXT
    return directory


def test_a_dataset_is_verified_and_rendered_without_the_file(dataset, own, tmp_path):
    own.rename(tmp_path / "elsewhere.bddl")
    ((_, result),) = verify(dataset, workers=0)
    assert result.states.same and not result.notes
    rendered = tmp_path / "rendered"
    render(RenderConfig(path=dataset, output_dir=rendered, image_size=(32, 32), cameras=("agentview",), quiet=True))
    assert (rendered / DEFINITION_COPY).read_text() == TEXT
    ((_, result),) = verify(rendered, workers=0)
    assert result.states.same
    with read(rendered)[0] as stored:
        env = stored_environment(stored.spec, stored.path)
        assert np.array_equal(env.render(stored.episode.states[0], "agentview"), stored.frame("agentview", 0))
        env.close()


def test_an_edited_file_is_ignored(dataset, own):
    own.write_text(changed("-0.3 0.1 -0.2", "-0.31 0.1 -0.2"))
    ((_, result),) = verify(dataset, workers=0)
    assert result.states.same and not result.notes


def test_without_file_and_copy_the_error_has_the_sha256(dataset, own):
    own.unlink()
    (dataset / DEFINITION_COPY).write_text("(define)")
    spec = read(dataset).spec
    with pytest.raises(DatasetError, match=DEFINITION_COPY) as error:
        stored_environment(spec, dataset)
    assert error.value.facts == {"path": dataset, "expected": spec.definition_sha256}


def test_resume_refuses_an_edited_file(dataset, own):
    own.write_text(changed("in the drawer", "in a drawer"))
    changes = {"bddl_file": own, "format": read(dataset).info.format, "num_episodes": 2, "resume": True}
    with pytest.raises(UsageError) as error:
        record_to(dataset, OWN, StillAgent, **changes)
    (difference,) = error.value.facts["differences"]
    assert difference.startswith("definition_sha256: ")


def test_a_worker_does_not_start_with_an_edited_file(dataset, own):
    spec = read(dataset).spec
    own.write_text(changed("in the drawer", "in a drawer"))
    with pytest.raises(UsageError, match="definition"):
        RecordWorker(spec, OWN.write_options, StillAgent, own.parent, renders=False)
