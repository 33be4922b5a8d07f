"""Policies by name, and where their presets live. Nothing is imported before it is asked for."""

from collections.abc import Mapping

POLICIES: Mapping[str, str] = {"act": "ambidex.policies.act.policy:ActPolicy"}
PRESETS: Mapping[str, str] = {"act": "ambidex.policies.act.presets:preset"}
