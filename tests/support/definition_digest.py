"""A hash of the content of a definition, regardless of formatting."""

import hashlib
import json

from ambidex.envs.tasks.libero.bddl.problem import Problem, Region

SHADOWED = ("wooden_cabinet_1_top_region", "white_cabinet_1_top_region")
"""Regions without numbers that are missing in the fact sheet behind the digests."""


def digest(problem: Problem) -> str:
    """Hash of everything that defines the task, with numbers rounded to a nanometre and a nanoradian."""
    content = {
        "problem": problem.problem,
        "language": problem.language,
        "workspace": problem.workspace,
        "fixtures": list(problem.fixtures.items()),
        "objects": list(problem.objects.items()),
        "of interest": problem.obj_of_interest,
        "init": [str(atom) for atom in problem.init],
        "goal": [str(atom) for atom in problem.goal],
        "regions": sorted(_region(region) for region in problem.regions.values() if region.name not in SHADOWED),
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def _region(region: Region) -> str:
    ranges = [[round(number, 9) + 0.0 for number in given] for given in region.ranges]
    yaw = None if region.yaw is None else [round(angle, 9) + 0.0 for angle in region.yaw]
    return json.dumps([region.name, region.target, ranges, yaw])
