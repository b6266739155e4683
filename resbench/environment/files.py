"""Reading what the system tells in small files and by small programs; what is not told is empty."""

import shutil
import subprocess
from pathlib import Path


def content(file: Path) -> str:
    """Return a file's text without the white space around it; nothing where it can't be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def number(text: str) -> int | None:
    """Return the whole number that a text is, or None."""
    try:
        return int(text)
    except ValueError:
        return None


def output(program: str, *arguments: str) -> str:
    """Return what a program prints; nothing where it is missing, fails or hangs: its fact is then unknown."""
    found = shutil.which(program)
    if found is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs with arguments of our own
            (found, *arguments), capture_output=True, text=True, errors="replace", timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
