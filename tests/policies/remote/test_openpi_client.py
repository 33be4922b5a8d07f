"""The client that openpi publishes, in an environment of its own because it wants NumPy 1, with our server."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from toy_policy import ToyPolicy, toy_spec

from ambidex.policies.messages import ObservationMessage
from ambidex.policies.remote.policy_server import RemotePolicyServer
from ambidex.policies.serving.batcher import RequestBatcher
from ambidex.policies.serving.fixed_batch import FixedBatch
from ambidex.policies.serving.server import describe

CPU = torch.device("cpu")
TALK = """
import json, sys
import numpy as np
from openpi_client import image_tools
from openpi_client.websocket_client_policy import WebsocketClientPolicy

client = WebsocketClientPolicy("127.0.0.1", int(sys.argv[1]), api_key="secret")
image = np.load("image.npy")
scaled = image_tools.resize_with_pad(np.tile(image, (16, 16, 1)), 224, 224)
found = {"numpy": np.__version__, "metadata": client.get_server_metadata(), "actions": [], "error": ""}
for shown in (image, scaled):
    seen = {"cam_high": np.moveaxis(shown, -1, 0)}
    request = {"state": np.arange(14) / 14, "images": seen, "prompt": "do it"}
    answer = client.infer(request)
    found["actions"].append(answer["actions"].tolist())
    found["timings"] = [answer["server_timing"]["infer_ms"], answer["policy_timing"]["infer_ms"]]
try:
    client.infer({"state": np.zeros(13)})
except RuntimeError as error:
    found["error"] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def foreign_python(tmp_path_factory):
    """Python of an environment with openpi-client."""
    folder = tmp_path_factory.mktemp("openpi")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    packages = ("openpi-client==0.1.2", "typing-extensions")  # which it imports and does not name
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    return python


@pytest.mark.slow
def test_openpis_own_client_has_a_conversation(foreign_python, tmp_path):
    policy = ToyPolicy(toy_spec()).eval()
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    np.save(tmp_path / "image.npy", image)
    batcher = RequestBatcher(policy, CPU)
    try:
        with RemotePolicyServer(describe(policy), batcher.predict, api_key="secret") as server:
            command = [foreign_python, "-c", TALK, str(server.port)]
            result = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60)
    finally:
        batcher.close()
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["numpy"].startswith("1.") and found["metadata"]["action_horizon"] == 50
    qpos = (np.arange(14) / 14).astype(np.float32)
    message = ObservationMessage(qpos=qpos, objects=np.zeros(14, np.float32), images={"top": image}, instruction="")
    expected = FixedBatch(policy, CPU, 1).answer([message])[0].actions
    np.testing.assert_array_equal(np.float32(found["actions"][0]), expected)
    assert np.abs(found["actions"][1] - expected).max() < 0.1 and found["actions"][1] != found["actions"][0]
    assert "state has the shape (13,)" in found["error"] and min(found["timings"]) > 0
