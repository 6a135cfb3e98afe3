"""What the repository promises of itself: how it is installed, what a wheel holds, what its files may say."""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import grimp
import pytest

from tests.fixtures.parts import REPOSITORY

PACKAGES = ("api", "cmdb", "discovery", "lab", "naming", "operations", "scheduler")

LOADED = {
    "httptools": "uvicorn parses requests with it",
    "python-multipart": "FastAPI reads forms with it",
    "uvloop": "uvicorn runs on it",
}
"""Dependencies that are found by name at run time."""

PART_OF = {"markupsafe": "jinja2", "starlette": "fastapi"}
"""Libraries that come with a dependency, as what its values are made of, and are imported beside it."""

# In parts, so that this file says none of them.
REGISTRY_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("repo", "maven", "apache", "org"),
        ("repo1", "maven", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("deb", "debian", "org"),
        ("cdn", "jsdelivr", "net"),
        ("unpkg", "com"),
    )
)


def _tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True
    ).stdout
    return [REPOSITORY / name for name in listed.split("\0") if name and (REPOSITORY / name).is_file()]


def test_no_tracked_file_names_a_package_registry() -> None:
    named = {
        (str(path.relative_to(REPOSITORY)), host)
        for path in _tracked()
        for host in REGISTRY_HOSTS
        if host.encode() in path.read_bytes().lower()
    }

    assert named == set()


def test_no_tracked_file_knows_a_path_of_the_machine_it_was_written_on() -> None:
    home = re.compile(rb"(?<![\w.-])/(?:wor" + rb"k|roo" + rb"t)/[\w.]")

    named = {str(path.relative_to(REPOSITORY)) for path in _tracked() if home.search(path.read_bytes())}

    assert named == set()


@pytest.mark.parametrize("name", ["runtime", "development"])
def test_every_requirement_is_one_version_with_hashes(name: str) -> None:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text().replace("\\\n", "")
    requirements = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]

    loose = [
        line
        for line in requirements
        if not re.fullmatch(r"[\w.-]+==\S+( ; .+?)?( +--hash=sha256:[0-9a-f]{64})+ *", line)
    ]

    assert (loose, bool(requirements)) == ([], True)


def test_development_has_the_versions_of_runtime() -> None:
    runtime, development = (_versions(name) for name in ("runtime", "development"))

    assert runtime.items() <= development.items()


def _versions(name: str) -> dict[str, str]:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, flags=re.MULTILINE))


def test_what_the_project_asks_for_is_locked() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = {re.split(r"[<>=\[ ]", line)[0] for line in project["project"]["dependencies"]}
    build = {re.split(r"[<>=\[ ]", line)[0] for line in project["build-system"]["requires"]}

    assert wanted | build <= _versions("runtime").keys()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with what is installed."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-build-isolation"]
    subprocess.run([*command, "--no-deps", "--no-index", "--wheel-dir", folder, REPOSITORY], check=True)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_tracked_file_of_every_package(wheel: Path) -> None:
    """A YAML file or a template that is missing never shows in the repository itself."""
    tracked = {path.relative_to(REPOSITORY) for path in _tracked()}
    expected = {str(path) for path in tracked if path.parts[0] in PACKAGES}

    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    assert expected - held == set()
    assert {name.split("/")[0] for name in held if ".dist-info/" not in name} <= set(PACKAGES)


def test_the_wheel_works_from_another_folder(wheel: Path, tmp_path: Path) -> None:
    """All modules import from the wheel alone: what they read while importing is in it."""
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    script = f"""\
import importlib, pkgutil, sys
sys.path[:0] = [{str(installed)!r}]
for package in {PACKAGES!r}:
    module = importlib.import_module(package)
    assert module.__file__.startswith({str(installed)!r}), module.__file__
    for found in pkgutil.walk_packages(module.__path__, package + "."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
"""

    subprocess.run([sys.executable, "-P", "-W", "error", "-c", script], cwd=tmp_path, check=True)


def test_imports_point_one_way_and_each_library_has_its_importer() -> None:
    linter = Path(sys.executable).with_name("lint-imports")

    done = subprocess.run(
        [linter, "--no-cache", "--no-logo"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_outside_library_has_a_rule_that_says_who_imports_it() -> None:
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    ruled = {name for contract in contracts for name in contract.get("protected_modules", [])}

    assert _outside() - ruled == set()


def test_every_dependency_is_imported_or_loaded_by_one_that_is() -> None:
    """What nobody needs any more is dropped."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[<>=\[ ]", line)[0] for line in project["dependencies"]}
    of_module = importlib.metadata.packages_distributions()
    imported = {name.lower().replace("_", "-") for module in _outside() for name in of_module[module]}

    assert declared - imported == set(LOADED)
    assert imported - declared == set(PART_OF)
    assert set(PART_OF.values()) <= declared


def _outside() -> set[str]:
    """Libraries that any of our modules imports, the standard one aside."""
    graph = grimp.build_graph(*PACKAGES, include_external_packages=True, cache_dir=None)
    roots = {module.split(".")[0] for module in graph.modules}
    return roots - set(PACKAGES) - sys.stdlib_module_names


def test_the_image_is_described_as_hadolint_wants_it() -> None:
    linter = Path(sys.executable).with_name("hadolint")

    done = subprocess.run([linter, "Dockerfile"], cwd=REPOSITORY, capture_output=True, text=True, check=False)

    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.parametrize(("required", "code"), [("1", pytest.ExitCode.TESTS_FAILED), ("", pytest.ExitCode.OK)])
def test_a_skip_fails_the_run_where_everything_is_required(tmp_path: Path, required: str, code: int) -> None:
    case = tmp_path / "test_case.py"
    case.write_text("import pytest\ndef test_part() -> None:\n    pytest.skip('no such part here')\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", str(case)]

    done = subprocess.run(
        [*command, "-n", "1"],
        cwd=REPOSITORY,
        env={**os.environ, "CMDB_REQUIRE_ALL": required},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "1 skipped" in done.stdout) == (code, True), done.stdout + done.stderr


def test_a_missing_part_fails_where_everything_is_required(tmp_path: Path) -> None:
    case = tmp_path / "test_case.py"
    case.write_text(
        "from tests.fixtures.parts import program\ndef test_part() -> None:\n    program('absent-d', 'install it')\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", str(case)]

    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env={**os.environ, "CMDB_REQUIRE_ALL": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "absent-d is missing: install it" in done.stdout) == (1, True), done.stdout + done.stderr
