"""Finding a network in a user's own code: `package.module:callable` or `path/to/file.py:callable`."""

import difflib
import hashlib
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from resbench.errors import UsageError
from resbench.models.constructing import Constructor, told


def file_of(base: str) -> Path | None:
    """Return the file that `path/to/file.py:callable` names; None where it is `package.module:callable`."""
    where = base.rpartition(":")[0]
    return Path(where).expanduser().resolve() if "/" in where or where.endswith(".py") else None


def constructor(base: str) -> Constructor:
    """Return what `package.module:callable` or `path/to/file.py:callable` names, importing its module.

    Raises:
        UsageError: there is no such module, file or name in it, or importing it raises an error.
    """
    where, _, attribute = base.rpartition(":")
    if not (where and attribute):
        raise UsageError(f"model '{base}' is not package.module:callable or path/to/file.py:callable")
    file = file_of(base)
    # Built at import, a finished network must have its numbers, whatever device is active now.
    with torch.device("cpu"):
        module = _imported(where) if file is None else _imported_file(file, where)
    return Constructor(name=base, make=_attribute(module, attribute, where))


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise UsageError(
                f"there is no module '{error.name}', here or installed: call from the folder it lies in, "
                "or give path/to/file.py:callable"
            ) from error
        raise _failed(name, error) from error
    except (Exception, SystemExit) as error:
        raise _failed(name, error) from error


def _imported_file(file: Path, given: str) -> ModuleType:
    if not file.is_file():
        raise _no_file(file, given)
    root, packages = _package_of(file)
    name = ".".join((_rooted(root), *packages, file.stem.replace(".", "_")))
    try:
        if packages:
            importlib.import_module(name.rpartition(".")[0])
        return _executed(name, file)
    except (Exception, SystemExit) as error:
        raise _failed(given, error) from error


def _executed(name: str, file: Path) -> ModuleType:
    if name in sys.modules:
        return sys.modules[name]
    loader = importlib.machinery.SourceFileLoader(name, str(file))
    specification = importlib.util.spec_from_file_location(name, file, loader=loader)
    if specification is None:
        raise ImportError(f"{file} can't be imported")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # data classes and pickles look their module up while it runs
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _package_of(file: Path) -> tuple[Path, tuple[str, ...]]:
    """Return the folder that holds the outermost package with the file, and the packages from there to the file."""
    folder = file.parent
    packages: tuple[str, ...] = ()
    while (folder / "__init__.py").is_file() and folder.parent != folder:
        folder, packages = folder.parent, (folder.name, *packages)
    return folder, packages


def _rooted(folder: Path) -> str:
    """Return the name of a package that stands for a folder: relative imports start there, under nobody else's name."""
    name = f"resbench_outside_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _attribute(module: ModuleType, dotted: str, where: str) -> Any:
    found: Any = module
    for name in dotted.split("."):
        if not hasattr(found, name):
            raise _no_attribute(found, name, where)
        found = getattr(found, name)
    return found


def _no_attribute(found: Any, name: str, where: str) -> UsageError:
    candidates = [
        known
        for known, value in vars(found).items()
        if not known.startswith("_") and (callable(value) or isinstance(value, nn.Module))
    ]
    near = difflib.get_close_matches(name, candidates, n=3, cutoff=0.5) or sorted(candidates)[:8]
    hint = f"did you mean {' or '.join(near)}?" if near else "it defines no function and no class"
    return UsageError(f"there is no '{name}' in {where}: {hint}")


def _no_file(file: Path, given: str) -> UsageError:
    beside = [found.name for found in file.parent.glob("*.py")] if file.parent.is_dir() else []
    near = difflib.get_close_matches(file.name, beside, n=3, cutoff=0.5)
    return UsageError(
        f"there is no file '{given}'" + (f": did you mean {' or '.join(near)}?" if near else "")
    )


def _failed(where: str, error: BaseException) -> UsageError:
    return UsageError(f"importing {where} failed: {told(error)}")
