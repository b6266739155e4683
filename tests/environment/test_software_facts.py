"""Versions, and which state of our own code runs."""

import subprocess
from pathlib import Path

import pytest
import torch

from resbench.environment.software import Checkout, checkout, software_facts, torch_build

SAID = """PyTorch built with:
  - GCC 13.3
  - Intel(R) oneAPI Math Kernel Library Version 2024.2-Product Build 20240605 for Intel(R) 64 architecture applications
  - Intel(R) MKL-DNN v3.13.3 (Git Hash b38f97eb6f2173513112f15a0481750b8a66e901)
  - Build settings: BLAS_INFO=mkl, BUILD_TYPE=Release, COMMIT_SHA=d0f2
"""


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b.c", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def made(folder: Path) -> Path:
    """Make a checkout with a package of two files, and return the package."""
    package = folder / "package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "old.py").write_text("x = 1\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return package


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return made(tmp_path / "checkout")


def test_a_checkout_is_known_by_its_commit(package: Path) -> None:
    commit = git(package.parent, "rev-parse", "HEAD")
    assert checkout(package) == Checkout(commit, False, "")
    (package.parent / "report.md").write_text("a report beside the package changes nothing")
    assert checkout(package) == Checkout(commit, False, "")
    (package / "new.py").write_text("")
    found = checkout(package)
    assert (found.commit, found.changed, len(found.changes)) == (commit, True, 12)


def test_every_local_change_has_its_own_hash(package: Path) -> None:
    seen = {checkout(package).changes}
    for change in (
        lambda: (package / "old.py").write_text("x = 2\n"),
        lambda: (package / "old.py").write_text("x = 3\n"),
        lambda: git(package.parent, "add", "."),  # what is staged is the same change
        lambda: (package / "new.py").write_text("x = 3\n"),
        lambda: (package / "new.py").rename(package / "ne w\u00e9.py"),
        (package / "old.py").unlink,
    ):
        before = len(seen)
        change()
        seen.add(checkout(package).changes)
        assert len(seen) - before in (0, 1)
    assert len(seen) == 6
    git(package.parent, "checkout", "-qf", "HEAD", "--", ".")
    (package / "ne w\u00e9.py").unlink()
    assert checkout(package).changes == ""


def test_the_same_changes_elsewhere_have_the_same_hash(package: Path, tmp_path: Path) -> None:
    other = made(tmp_path / "other")
    git(other.parent, "config", "diff.noprefix", "true")
    git(other.parent, "config", "diff.algorithm", "patience")
    for place in (package, other):
        (place / "old.py").write_text("x = 2\n")
        (place / "new.py").write_text("y = 2\n")
    assert checkout(package).changes == checkout(other).changes


def test_an_ignored_file_is_no_change(package: Path) -> None:
    (package.parent / ".git" / "info" / "exclude").write_text("*.pyc\n")
    (package / "old.pyc").write_text("")
    assert not checkout(package).changed


def test_a_touched_file_is_no_change(package: Path) -> None:
    (package / "old.py").touch()
    assert not checkout(package).changed


def test_an_installed_package_has_no_commit_even_inside_a_checkout(package: Path, tmp_path: Path) -> None:
    inside = package.parent / ".venv" / "site-packages" / "resbench"
    inside.mkdir(parents=True)
    assert checkout(inside) == Checkout()
    outside = tmp_path / "site-packages" / "resbench"
    outside.mkdir(parents=True)
    assert checkout(outside) == Checkout()


def test_a_checkout_without_a_commit_has_none(tmp_path: Path) -> None:
    empty = tmp_path / "package"
    empty.mkdir()
    git(tmp_path, "init", "-q")
    assert checkout(empty) == Checkout()


def test_without_git_there_is_no_commit(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert checkout(package) == Checkout()


def test_the_build_of_torch_in_short() -> None:
    assert torch_build(SAID) == "MKL 2024.2, oneDNN 3.13.3, compiler GCC 13.3, build Release"
    assert torch_build("") == ""


def test_only_a_gpu_run_speaks_of_its_libraries() -> None:
    on_cpu, on_gpu = (software_facts(torch.device(name)) for name in ("cpu", "cuda"))
    assert on_gpu.keys() - on_cpu.keys() == {"CUDA", "cuDNN"}
    assert on_gpu["CUDA"] == (torch.version.cuda or "not built in")
    assert on_cpu["torch"] == torch.__version__
    assert on_cpu["torch's CPU kernels"] == torch.backends.cpu.get_cpu_capability()
