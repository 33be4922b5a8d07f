"""The documentation agrees with the code: links, paths, module addresses, flags of commands, and error messages."""

import contextlib
import importlib
import io
import math
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import h5py
import pytest
from foreign_hdf5 import write_act
from lerobot_dataset import write_lerobot
from tutorial_tasks import register_tutorial_tasks

import ambidex
from ambidex import command_line
from ambidex.envs.registry import TASKS
from ambidex.envs.simulation import opengl
from ambidex.envs.simulation.scene import Scene
from ambidex.errors import AmbidexError
from ambidex.output_folder import exclusive_lock
from ambidex.policies import train_policy
from ambidex.policies.registry import PRESETS
from ambidex.recorders import record_episodes
from ambidex.recorders.formats.registry import foreign_kind
from ambidex.scripted_policies.registry import EXPERTS

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *(page for page in sorted(DOCS.rglob("*.md")) if "_build" not in page.parts),
]
FOLDERS = (
    "assets",
    "benchmarks",
    "docs",
    "envs",
    "policies",
    "recorders",
    "scripted_policies",
    "scripts",
    "src",
    "tests",
)
COMMANDS = {
    name: address.partition(":")[0]
    for name, address in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"].items()
}
TO_BE_WRITTEN = {  # by the readers of the recipes and tutorials
    *("envs/tasks/aloha/lift_cube.py", "envs/tasks/aloha/capsule_lift.py", "envs/robots/capsule_arms.py"),
    *("scripted_policies/aloha/lift_cube.py", "assets/robots/capsule_arm.xml", "policies/mlp.py"),
}
HOME = "/home/you"  # stands for the folder in which a command of the page of errors runs

FENCE = re.compile(r"^(?P<mark>```+|~~~+)(?P<language>[^\n]*)\n(?P<text>.*?)^(?P=mark)\s*$", re.DOTALL | re.MULTILINE)
INLINE_CODE = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
MODULE = re.compile(r"\bambidex(?:\.[A-Za-z_]\w*)+")
ENVIRONMENT = re.compile(r"[A-Z_]+=\S*")


def page_ids(page: Path) -> str:
    return str(page.relative_to(ROOT))


each_page = pytest.mark.parametrize("page", PAGES, ids=page_ids)


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub and MyST give to headings."""
    headings = (re.sub(r"[`*\[\]]|\(.*?\)", "", heading) for heading in HEADING.findall(prose(page)))
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@each_page
def test_links_lead_to_files_and_headings(page: Path) -> None:
    broken = []
    for link in LINK.findall(prose(page)):
        path, _, anchor = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert not broken


@each_page
def test_paths_of_the_repository_exist(page: Path) -> None:
    spans = {span.strip() for span in INLINE_CODE.findall(prose(page))}
    paths = {span.partition(":")[0] for span in spans if re.fullmatch(r"[\w.\-/]+(::?\w+)*", span) and "/" in span}
    named = {path for path in paths if path.partition("/")[0] in FOLDERS} - TO_BE_WRITTEN
    assert not {path for path in named if not (ROOT / path).exists()}


@each_page
def test_module_addresses_exist(page: Path) -> None:
    to_be_written = {f"ambidex.{path.removesuffix('.py').replace('/', '.')}" for path in TO_BE_WRITTEN}
    assert not {name for name in MODULE.findall(page.read_text()) if name not in to_be_written and not is_address(name)}


def is_address(name: str) -> bool:
    """Whether it is a module, an attribute of one, or a group of entry points."""
    parts = name.split(".")
    if parts[-1] == "NAME" or name in (TASKS.group, EXPERTS.group):  # of any module
        return True
    for count in range(len(parts), 0, -1):
        module = ".".join(parts[:count])
        with contextlib.suppress(ModuleNotFoundError):
            if find_spec(module) is not None:
                return count == len(parts) or has_attribute(importlib.import_module(module), parts[count:])
    return False


def has_attribute(owner: object, names: list[str]) -> bool:
    for name in names:
        if not hasattr(owner, name):
            return name in getattr(owner, "__annotations__", {})
        owner = getattr(owner, name)
    return True


def command_lines(page: Path) -> Iterator[str]:
    """Commands in code blocks."""
    text = page.read_text()
    blocks = [match["text"] for match in FENCE.finditer(text)]
    blocks += re.findall(r"(?:^(?: {4}|\t).+\n)+", prose(page), re.MULTILINE)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in lines:
        words = line.strip().removeprefix("$ ").removeprefix("%%bash ").split()
        while words and ENVIRONMENT.fullmatch(words[0]):
            words = words[1:]
        if words and words[0] in COMMANDS:
            yield " ".join(words)


def flags_of(line: str) -> list[str]:
    """The words after the command, up to a comment, a pipe or an ellipsis at the end."""
    words = re.split(r"\s[|;]\s|\s&&\s|\s>\s", line)[0]
    flags = shlex.split(words, comments=True)[1:]
    return flags[:-1] if flags[-1:] == ["..."] and not flags[-2:-1][0].startswith("--") else flags


def without_stored_flags(words: list[str]) -> list[str]:
    """Without the flags whose values are read from a folder, which the reader has and the test has not."""
    kept = [word for word in words if word != "--resume"]
    for flag in ("--adapt", "--finetune"):
        if flag in kept:
            del kept[kept.index(flag) : kept.index(flag) + 2]
    return kept


@pytest.fixture
def parsed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands parse their flags and end; the example of a policy is registered."""
    monkeypatch.setattr(command_line, "_exit_status", lambda name, main, config: 0)
    for module in (train_policy, record_episodes):
        defaults = module.defaults_for
        monkeypatch.setattr(module, "defaults_for", lambda words, find=defaults: find(without_stored_flags([*words])))
    monkeypatch.setitem(PRESETS, "mlp", "toy_policy:preset")  # type: ignore[index]
    monkeypatch.delitem(sys.modules, "toy_policy", raising=False)  # tests/support has one too
    monkeypatch.syspath_prepend(str(DOCS))


@each_page
@pytest.mark.usefixtures("parsed_only")
def test_flags_of_commands_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for line in command_lines(page):
        main = importlib.import_module(COMMANDS[line.split()[0]]).main
        with pytest.raises(SystemExit) as end:
            main(flags_of(line))
        assert end.value.code == 0, f"{line}\n{capsys.readouterr().err}"


@cache
def known_flags(command: str, policy: str) -> set[str]:
    flags = ["--policy", policy] if command == "train-policy" else []
    with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
        importlib.import_module(COMMANDS[command]).main([*flags, "--help-all"])
    return set(re.findall(r"(?<=\s)--[\w.-]+", printed.getvalue()))


@each_page
@pytest.mark.usefixtures("parsed_only")
def test_flags_of_commands_in_sentences_exist(page: Path) -> None:
    for span in INLINE_CODE.findall(prose(page)):
        words = span.split()
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        if words[0] in COMMANDS and flags:
            policy = words[words.index("--policy") + 1] if "--policy" in words[:-1] else "act"
            unknown = flags - known_flags(words[0], policy) - {"--help-all"}
            assert not unknown, span


def test_the_pages_have_what_these_tests_check() -> None:
    assert sum(len(list(command_lines(page))) for page in PAGES) > 100
    assert sum(len(LINK.findall(prose(page))) for page in PAGES) > 50


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 800


def test_examples_of_the_api_print_what_their_pages_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    api = DOCS / "reference" / "api"
    toctree = FENCE.findall((api / "index.md").read_text())[-1][-1]
    for name in toctree.split()[1:-1]:  # in this order: some use the files of earlier ones
        code, expected = re.findall(r"```(?:python|text)\n(.*?)```", (api / f"{name}.md").read_text(), re.DOTALL)
        capsys.readouterr()
        exec(code, {})
        assert capsys.readouterr().out == expected, name


def test_every_public_name_has_a_page() -> None:
    titles = {page.read_text().split("\n")[0] for page in (DOCS / "reference" / "api").glob("*.md")}
    assert {f"# {name}" for name in ambidex.__all__ if name != "__version__"} <= titles


ERRORS = (DOCS / "reference" / "errors.md").read_text()


def error_entries() -> list[tuple[str, str, str]]:
    """(heading, the code or command that fails, the message) of each example on the page of errors."""
    found, heading, code = [], "", ""
    for match in re.finditer(rf"^### (?P<heading>[^\n]+)$|{FENCE.pattern}", ERRORS, re.DOTALL | re.MULTILINE):
        heading = match["heading"] or heading
        text = match["text"] or ""
        if match["language"] == "console":
            command, _, message = text.removeprefix("$ ").partition("\n")
            found.append((heading, command, message))
        elif match["language"] == "python":
            code = text
        elif match["language"] == "text":
            found.append((heading, code, text))
    return found


ENTRIES = error_entries()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the datasets, runs and results that the page names."""
    folder = tmp_path_factory.mktemp("errors")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        benchmark = "run-benchmark --policy scripted --task transfer_cube --episodes 1 --video none --workers 0 --quiet"
        for line in (
            "record-episodes --task transfer_cube --num-episodes 2 --cameras none --workers 0 --quiet "
            "--output-dir data/cube",
            "train-policy --policy act --preset tiny --observations state --data data/cube --steps 1 --batch-size 2 "
            "--validation-fraction 0 --device cpu --quiet --output-dir runs/act",
            f"{benchmark} --output-dir results/expert",
            f"{benchmark} --output-dir results/later --seed 100010",
            f"{benchmark} --output-dir results/wide --spread wide",
        ):
            assert exit_status(line) == 0, line
        for copy in ("incomplete", "damaged", "nan", "linked"):
            shutil.copytree("data/cube", f"data/{copy}")
        write_lerobot(Path("data/theirs"))
        for name in ("act", "begun", "short"):
            write_act(Path("data", name))
        foreign_kind(Path("data/begun")).describe(Path("data/begun"), None)
        foreign_kind(Path("data/short")).describe(Path("data/short"), "aloha_sim")
        with h5py.File("data/short/episode_1.hdf5", "r+") as file:
            action = file["action"][:-1]
            del file["action"]
            file["action"] = action
        with h5py.File("data/nan/episode_1.hdf5", "r+") as file:
            file["action"][10, 3] = math.nan
        with h5py.File("data/linked/episode_0.hdf5", "r+") as file:
            del file["action"]
            file["action"] = h5py.ExternalLink("episode_1.hdf5", "/action")
        Path("data/incomplete/episode_1.hdf5").unlink()
        truncate(Path("data/damaged/episode_1.hdf5"))
        shutil.copytree("runs/act", "runs/damaged", symlinks=True)
        truncate(Path("runs/damaged/checkpoints/1/model.safetensors"))
        Path("mug.bddl").write_text("(define (problem mug)\n  (:domain robosuite)\n  (:language put the mug away)\n")
    return folder


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:100_000])


def exit_status(line: str) -> object:
    with pytest.raises(SystemExit) as end:
        importlib.import_module(COMMANDS[line.split()[0]]).main(shlex.split(line)[1:])
    return end.value.code


@contextlib.contextmanager
def circumstances(heading: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What has to be the case for the error under a heading, besides the files of `prepared`."""
    if heading == "OpenGL is missing":
        monkeypatch.setattr(opengl, "_loads", lambda library: False)
    if heading == "The model has changed":
        monkeypatch.setattr(Scene, "model_sha256", "another")
    locked = heading == "Two processes write into one folder"
    with exclusive_lock(Path("data/cube")) if locked else contextlib.nullcontext():
        yield


def pattern_of(message: str) -> str:
    words = " ".join(message.split()).replace(HOME, str(Path.cwd()))
    return re.escape(words).replace(re.escape("..."), ".*")


@pytest.mark.parametrize(("heading", "code", "message"), ENTRIES, ids=[f"{h}: {m[:20]}" for h, _, m in ENTRIES])
def test_an_error_is_printed_as_on_its_page(
    heading: str,
    code: str,
    message: str,
    prepared: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(prepared)
    monkeypatch.setenv("TORCH_HOME", str(prepared / "torch"))
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    with circumstances(heading, monkeypatch):
        if code.startswith("import "):
            printed = raised_by(code)
        else:
            *variables, line = re.split(rf"(?<=\S)\s+(?={'|'.join(COMMANDS)})", code, maxsplit=1)
            for variable in variables:
                monkeypatch.setenv(*variable.split("="))
            status = exit_status(line)
            printed = capsys.readouterr().err.strip()
            assert status in (command_line.FAILED, command_line.WRONG_USAGE)
    assert re.fullmatch(pattern_of(message), " ".join(printed.split())), printed


def raised_by(code: str) -> str:
    with pytest.raises(AmbidexError) as caught:
        exec(code, {})
    return f"{type(caught.value).__module__}.{type(caught.value).__qualname__}: {caught.value}"


def test_the_page_of_errors_has_enough_of_them() -> None:
    assert len(ENTRIES) >= 25


@pytest.fixture
def tutorial_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    register_tutorial_tasks(monkeypatch)


@pytest.mark.usefixtures("tutorial_tasks")
@pytest.mark.parametrize("task", ["lift_cube", "capsule_lift"])
@pytest.mark.parametrize("control", ["joint", "ee"])
def test_the_experts_of_the_tutorials_solve_their_tasks(task: str, control: str) -> None:
    for spread in ("published", "wide"):
        env = ambidex.make(task, control=control, spread=spread, cameras=())
        result = ambidex.rollout(env, ambidex.make_expert(env), seed=0)
        assert result.outcome == "success", result.reason
        assert max(result.stages) == len(result.spec.stages) - 1


@pytest.mark.usefixtures("tutorial_tasks")
def test_the_task_of_the_tutorial_is_not_solved_by_holding_still() -> None:
    env = ambidex.make("lift_cube", cameras=())
    action = env.reset(seed=0).qpos.astype("float32")
    assert not any(env.step(action).success for _ in range(env.spec.horizon))
