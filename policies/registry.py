"""Policies by name, and where their presets live. Nothing is imported before it is asked for."""

from collections.abc import Mapping

_REGISTERED = {
    "act": ("ambidex.policies.act.policy:ActPolicy", "ambidex.policies.act.presets:preset"),
    "uniact": ("ambidex.policies.uniact.policy:UniActPolicy", "ambidex.policies.uniact.presets:preset"),
}
POLICIES: Mapping[str, str] = {name: policy for name, (policy, _) in _REGISTERED.items()}
PRESETS: Mapping[str, str] = {name: preset for name, (_, preset) in _REGISTERED.items()}
