"""How a policy server ends."""

import threading
from concurrent.futures import ThreadPoolExecutor

import torch
from toy_policy import ToyPolicy, toy_spec

from ambidex.policies.serving.client import PolicyClient
from ambidex.policies.serving.server import PolicyServer


def test_closing_ends_though_nobody_stands_at_the_door_any_more(monkeypatch):
    """The door's keeper sees that it closes right after letting somebody in, so nobody answers the last knock."""
    server = PolicyServer()
    accept = server._listener.accept

    def last():
        line = accept()
        server._closing.wait(10)
        return line

    monkeypatch.setattr(server._listener, "accept", last)
    server.serve(ToyPolicy(toy_spec(), objects=True).eval(), torch.device("cpu"))
    with ThreadPoolExecutor() as threads:
        client = threads.submit(PolicyClient, server.address, server.authkey)
        closing = threading.Thread(target=server.close, daemon=True)
        threading.Timer(0.5, closing.start).start()
        client.exception(10)  # it may have been greeted before the end, or not
        closing.join(10)
    assert not closing.is_alive()
