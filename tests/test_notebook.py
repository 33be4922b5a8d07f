"""What environments, observations, datasets and episodes show in a notebook."""

import base64
import io
import re

import numpy as np
from PIL import Image
from synthetic_dataset import STATES, write_dataset

import ambidex
from ambidex.errors import RenderingError
from ambidex.text import LARGEST_IMAGE as LARGEST
from ambidex.text import html_card


def images_of(html):
    """Caption -> image."""
    found = re.findall(r"<img alt='([^']*)' src='data:image/png;base64,([^']*)'>", html)
    return {name: np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for name, data in found}


def test_a_card_escapes_text_and_shrinks_images():
    html = html_card("<a>", {"b&c": "d<e"}, lambda: {"f'g": np.full((10, 2 * LARGEST, 3), 7, np.uint8)})
    assert "&lt;a&gt;" in html and "b&amp;c" in html and "d&lt;e" in html and "<a>" not in html
    ((name, image),) = images_of(html).items()
    assert name == "f&#x27;g" and image.shape == (5, LARGEST, 3) and (image == 7).all()


def test_an_image_that_cannot_be_made_is_told():
    def fail():
        raise RenderingError("There is no OpenGL.")

    assert "There is no OpenGL." in html_card("a", {}, fail)


def test_environment_and_observation_show_their_cameras():
    with ambidex.make("insertion", cameras=("top",), image_size=(48, 64)) as env:
        observation = env.reset(0)
        for shown in (env, observation):
            html = shown._repr_html_()
            assert env.spec.instruction in html
            np.testing.assert_array_equal(images_of(html)["top"], observation.image("top"))
        np.testing.assert_array_equal(env.render("top"), observation.image("top"))
        np.testing.assert_array_equal(env.render("angle"), env.render(observation.state, "angle"))


def test_the_action_space_prints_its_dimensions_and_is_one_of_gymnasium():
    env = ambidex.make("libero_goal/1", cameras=())
    assert env.action_space.contains(env.action_space.sample()) and env.action_space.names == env.spec.action_names
    lines = repr(env.action_space).splitlines()
    assert len(lines) == 2 + 7 and lines[-1].split() == ["robot0_gripper", "-1", "1"]
    np.testing.assert_array_equal(env.action_space.high, env.action_high)


def test_dataset_and_episode_show_frames(tmp_path):
    dataset = ambidex.read(write_dataset(tmp_path / "data", lengths=(7,)))
    with dataset[0] as stored:
        images = images_of(dataset._repr_html_())
        assert list(images) == ["top", "left_wrist"]
        np.testing.assert_array_equal(images["top"], stored.frame("top", 0))
        images = images_of(stored._repr_html_())
        assert list(images) == [f"{camera}, step {t}" for camera in stored.cameras for t in (0, 3, 6)]
        np.testing.assert_array_equal(images["left_wrist, step 6"], stored.frame("left_wrist", 6))
        assert "seed 0: success" in stored._repr_html_()
    assert images_of(ambidex.read(write_dataset(tmp_path / "states", **STATES))._repr_html_()) == {}


def test_completion_offers_what_is_public():
    offered = {name for name in dir(ambidex) if not name.startswith("_")}
    assert offered == {name for name in ambidex.__all__ if name != "__version__"} | {
        *("assets", "benchmarks", "envs", "policies", "recorders", "scripted_policies", "errors")
    }
