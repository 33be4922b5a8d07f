"""What a definition says as a few letters, however it is written."""

import hashlib
import json

from ambidex.envs.tasks.libero.bddl.problem import Problem, Region

SHADOWED = ("wooden_cabinet_1_top_region", "white_cabinet_1_top_region")
"""Sites without numbers that the fact sheet behind the digests lacks, where the table has a region of that name."""


def digest(problem: Problem) -> str:
    """Fingerprint of all that decides the task, the numbers rounded to a nanometre and a nanoradian."""
    said = {
        "problem": problem.problem,
        "language": problem.language,
        "workspace": problem.workspace,
        "fixtures": list(problem.fixtures.items()),
        "objects": list(problem.objects.items()),
        "of interest": problem.obj_of_interest,
        "init": [str(atom) for atom in problem.init],
        "goal": [str(atom) for atom in problem.goal],
        "regions": sorted(_said(region) for region in problem.regions.values() if region.name not in SHADOWED),
    }
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def _said(region: Region) -> str:
    ranges = [[round(number, 9) + 0.0 for number in given] for given in region.ranges]
    yaw = None if region.yaw is None else [round(angle, 9) + 0.0 for angle in region.yaw]
    return json.dumps([region.name, region.target, ranges, yaw])
