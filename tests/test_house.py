"""The structure that CONTRIBUTING.md describes: who imports whom, no circles, folders of at most 12 files."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from ambidex.envs.registry import FAMILIES, TASKS, canonical_task, task_names
from ambidex.envs.robots import ROBOTS
from ambidex.envs.task import COORDINATION, Task
from ambidex.lookup import resolve
from ambidex.scripted_policies.registry import EXPERTS

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "ambidex"
FOLDERS = ("assets", "envs", "scripted_policies", "policies", "recorders", "benchmarks")
TYPES = ("ambidex.envs.types",)
READERS = ("ambidex.recorders.read", "ambidex.recorders.dataset", "ambidex.recorders.formats")
CORE_FILES = (*PACKAGE.glob("*.py"), *(PACKAGE / "worker_pool").glob("*.py"))
CORE_MODULES = (
    *(f"ambidex.{file.stem}" for file in PACKAGE.glob("*.py") if file.stem != "__init__"),
    "ambidex.worker_pool",
)
CORE = (*CORE_MODULES, "ambidex.cluster")
MAY_IMPORT = {
    "assets": (),
    "envs": ("ambidex.envs", "ambidex.assets"),
    "scripted_policies": ("ambidex.scripted_policies", "ambidex.envs"),
    "policies": ("ambidex.policies", *TYPES, "ambidex.envs.registry", *READERS),
    "recorders": ("ambidex.recorders", "ambidex.envs"),
    "recorders/recording": ("ambidex.scripted_policies",),
    "benchmarks": ("ambidex",),
}
MOST_FILES = 12  # Python files in a folder of the product
# Registries of one file for each entry.
ONE_PER_TASK = (Path("envs/tasks/aloha"), Path("envs/objects/aloha"), Path("scripted_policies/aloha"))


def python_files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def imports(file: Path) -> Iterator[str]:
    """Full dotted names of all that a file imports, at any depth; relative imports start with a dot."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def module_name(file: Path) -> str:
    parts = file.relative_to(PACKAGE if PACKAGE in file.parents else ROOT).with_suffix("").parts
    return ".".join(["ambidex", *(part for part in parts if part != "__init__")])


def needed(file: Path, modules: Mapping[str, Path]) -> set[str]:
    """The modules that a file imports, wherever it does: at the top, in a function, or for type checking."""
    found = set()
    for name in imports(file):
        found |= {module for module in (name, name.rpartition(".")[0]) if module in modules}
    return found - {name.rpartition(".")[0] for name in found}


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def allowed(file: Path) -> tuple[str, ...]:
    folders = [str(folder) for folder in file.relative_to(ROOT).parents]
    return (*(name for folder in folders for name in MAY_IMPORT.get(folder, ())), *CORE)


def is_ours(name: str) -> bool:
    """Whether the rules are about a name. Every file may import the root package, which loads no simulator."""
    return within(name, ("ambidex", *FOLDERS)) and name not in ("ambidex", "ambidex.__version__")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_imports_only_what_lies_below_it(folder: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in python_files(folder)
        for name in imports(file)
        if name.startswith(".") or (is_ours(name) and not within(name, allowed(file)))
    ]
    assert not wrong


def test_robovlms_imports_no_other_policy() -> None:
    others = ("ambidex.policies.act", "ambidex.policies.uniact")
    files = python_files("policies/robovlms", "policies/vision_language", "policies/training")
    assert not [f"{file.name} imports {name}" for file in files for name in imports(file) if within(name, others)]


def test_speed_and_study_programs_are_imported_only_by_each_other() -> None:
    measuring = tuple(f"benchmarks/{name}" for name in ("speed", "studies", "task_pages", "soak", "drift"))
    packages = tuple(f"ambidex.{folder.replace('/', '.')}" for folder in measuring)
    entries = {ROOT / "benchmarks" / name for name in ("throughput.py", "design_study.py")}
    programs = {*entries, *python_files(*measuring)}
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in {*python_files(*FOLDERS, "src/ambidex")} - programs
        for name in imports(file)
        if within(name, packages)
    ]
    assert not wrong


def test_the_main_block_is_the_last_statement_of_a_file() -> None:
    run_by_name = {
        file: [ast.unparse(node).startswith("if __name__ == '__main__'") for node in ast.parse(file.read_text()).body]
        for file in python_files(*FOLDERS, "src/ambidex")
    }
    assert not [str(file.relative_to(ROOT)) for file, found in run_by_name.items() if any(found[:-1])]


def test_core_modules_import_only_each_other_and_the_types() -> None:
    wrong = [
        f"{file.name} imports {name}"
        for file in CORE_FILES
        if file != PACKAGE / "__init__.py"
        for name in imports(file)
        if name.startswith(".") or (is_ours(name) and not within(name, (*CORE_MODULES, *TYPES)))
    ]
    assert not wrong


def test_the_cluster_imports_only_core_modules() -> None:
    files = (PACKAGE / "cluster").glob("*.py")
    assert not [
        f"{file.name} imports {name}"
        for file in files
        for name in imports(file)
        if is_ours(name) and not within(name, CORE)
    ]


def test_only_pools_on_a_cluster_import_ray() -> None:
    files = {*python_files(*FOLDERS, "src/ambidex")} - {*(PACKAGE / "cluster").glob("*.py")}
    assert not [
        file for file in files if any(within(name, ("ray", "ambidex.cluster.ray_pool")) for name in imports(file))
    ]


def test_types_import_only_numpy() -> None:
    packages = {name.partition(".")[0] for name in imports(ROOT / "envs" / "types.py")}
    assert packages - set(sys.stdlib_module_names) == {"numpy"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_cannot_be_imported_without_the_package_name(folder: str) -> None:
    result = run(f"import {folder}")
    assert result.returncode == 1
    assert f"ImportError: This folder is the package 'ambidex.{folder}'" in result.stderr


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_is_linked_into_the_package(folder: str) -> None:
    link = PACKAGE / folder
    assert link.is_symlink()
    assert not link.readlink().is_absolute()
    assert link.resolve() == ROOT / folder


def test_importing_the_package_loads_neither_mujoco_nor_torch() -> None:
    result = run("import sys, ambidex; print(sorted({'mujoco', 'torch', 'dm_control'} & set(sys.modules)))")
    assert result.stdout == "[]\n", result.stderr


def test_simulation_needs_no_torch_and_types_need_no_mujoco() -> None:
    simulation = run("import sys, ambidex.envs.env, ambidex.scripted_policies.registry; print('torch' in sys.modules)")
    assert simulation.stdout == "False\n", simulation.stderr
    types = run(
        "import sys, ambidex.policies, ambidex.envs.types, ambidex.errors, ambidex.envs.registry;"
        "import ambidex.recorders.dataset.dataset;"
        "print('mujoco' in sys.modules)"
    )
    assert types.stdout == "False\n", types.stderr


def test_no_file_is_called_utils_or_the_like() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [file for file in python_files(*FOLDERS, "src/ambidex", "tests", "scripts") if file.stem in vague]


def test_no_folder_has_more_than_twelve_python_files() -> None:
    counts = Counter(file.parent.relative_to(ROOT) for file in python_files(*FOLDERS, "src/ambidex"))
    allowed = {folder: len(TASKS) + 2 if folder in ONE_PER_TASK else MOST_FILES for folder in counts}
    assert not {str(folder): count for folder, count in counts.items() if count > allowed[folder]}


def test_imports_form_no_circles() -> None:
    modules = {module_name(file): file for file in python_files(*FOLDERS, "src/ambidex")}
    graph = {module: needed(file, modules) - {module, "ambidex"} for module, file in modules.items()}
    order = TopologicalSorter(graph)
    order.prepare()  # raises CycleError, which names the circle


def test_no_broad_except_swallows_an_error() -> None:
    silent = [
        f"{file.relative_to(ROOT)}:{node.lineno}"
        for file in python_files(*FOLDERS, "src/ambidex")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body)
    ]
    assert not silent


@pytest.mark.parametrize("name", TASKS)
def test_a_registered_task_is_complete(name: str) -> None:
    task = resolve("task", name, TASKS)
    assert isinstance(task, type)
    assert issubclass(task, Task)
    assert task.name == name
    assert task.robot in ROBOTS
    assert task.family in FAMILIES
    assert task.stages[0] == "none"
    assert task.horizon > 0
    assert task.instruction
    assert task.coordination in COORDINATION
    for prop in task.props:
        assert prop.model().worldbody.first_body().name == prop.body
        if prop.initial_poses or task.reset_scene is Task.reset_scene:
            assert set(prop.initial_poses) == {"published", "wide"}


@pytest.mark.parametrize("name", ROBOTS)
def test_a_registered_robot_has_the_name_it_is_registered_under(name: str) -> None:
    robot = resolve("robot", name, ROBOTS)()  # type: ignore[operator]
    assert robot.name == name
    assert len(robot.arms) == len(robot.prefixes)
    assert robot.mjcf.is_file()
    assert robot.arena is None or robot.arena.is_file()
    assert robot.mount is None or robot.mount.is_file()


def test_suites_name_registered_tasks() -> None:
    assert all(canonical_task(task) == task for task in task_names())
    assert set(TASKS) <= set(task_names())


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_an_expert(name: str) -> None:
    assert callable(resolve("expert", name, EXPERTS))
