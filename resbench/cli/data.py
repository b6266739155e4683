"""`resbench data`: prepare a data set from its official archives, and verify that it is whole."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from resbench.cli.output import Format, print_json, print_line, print_records
from resbench.errors import ResbenchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resbench.datasets.verify import Count, Verification

app = typer.Typer(help="Prepare and verify data sets.")

_NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="voc0712, cifar10, cifar100 or imagenet.")]
_FolderOption = Annotated[Path, typer.Option("--data", help="Folder of the data sets.")]

_SHOWN = 20
"""Problems that are told one by one; JSON has them all."""


@app.command()
def prepare(name: _NameArgument, folder: _FolderOption = Path(".data")) -> None:
    """Download the official archives of a data set, check their md5 and unpack them.

    voc0712 is VOC2007 trainval and test and VOC2012 trainval (2.9 GB), cifar10 and cifar100 are
    CIFAR-10 and CIFAR-100 (170 MB each); all take as much again once unpacked. imagenet can't be downloaded without an account:
    it says what to put where. What is finished is not repeated: run the command again after an interruption. Without a
    network it says which files to get by other means, and where to put them.

    \b
    Examples:
      resbench data prepare voc0712
      resbench data prepare cifar10 --data /mnt/datasets
    """  # noqa: D301 - typer reads the \b
    from resbench.datasets import prepare as preparing
    from resbench.datasets.progress import progress_bar

    with progress_bar() as report:
        folders = preparing.prepare(name, folder, progress=report)
    print_line(f"{name} lies in {', '.join(map(str, folders))}")
    print_line(f"check it with: resbench data verify {name} --data {folder}")


@app.command()
def verify(
    name: _NameArgument,
    folder: _FolderOption = Path(".data"),
    output: Annotated[Format, typer.Option("--format", help="How to print.")] = Format.TABLE,
    pictures: Annotated[
        bool, typer.Option("--pictures/--no-pictures", help="Decode every picture of VOC, too.")
    ] = True,
) -> None:
    """Compare a data set with what was published of it, and name what is missing.

    Of voc0712, the samples of each class are counted (published: 40,058 to train on, 12,032 to test on), and every
    picture is decoded to find those that are corrupt or truncated. Of cifar10 and cifar100, the md5 of each file is checked;
    of imagenet, folders and pictures are counted. The exit code is 0 when all is as published, and 1 when it is not.

    \b
    Examples:
      resbench data verify voc0712
      resbench data verify voc0712 --no-pictures --format markdown
      resbench data verify cifar10 --format json
    """  # noqa: D301 - typer reads the \b
    from resbench.datasets import verify as verifying
    from resbench.datasets.progress import progress_bar

    with progress_bar() as report:
        found = verifying.verify(name, folder, pictures=pictures, progress=report)
    _print(found, output)
    if not found.holds:
        raise ResbenchError(f"{name} in {found.folder} is not the published data set: {_what_differs(found)}")
    sys.stderr.write(f"{name} in {found.folder} is whole: {_what_agrees(found)}\n")


def _print(found: "Verification", output: Format) -> None:
    if output is Format.JSON:
        from resbench.results import plain

        print_json({**plain(found), "holds": found.holds})
        return
    if found.counts:
        print_records(_records(found.counts), output)
    for problem in found.problems[:_SHOWN]:
        sys.stderr.write(f"{problem}\n")
    if len(found.problems) > _SHOWN:
        sys.stderr.write(f"... and {len(found.problems) - _SHOWN:,} more (--format json has all)\n")


def _records(counts: "Sequence[Count]") -> list[dict[str, object]]:
    return [
        {
            "class": name,
            "train": train,
            "train_published": train_published,
            "train_missing": train_published - train,
            "test": test,
            "test_published": test_published,
            "test_missing": test_published - test,
        }
        for name, train, train_published, test, test_published in (*map(_row, counts), _total(counts))
    ]


def _row(count: "Count") -> tuple[str, int, int, int, int]:
    return (count.name, count.train, count.train_published, count.test, count.test_published)


def _total(counts: "Sequence[Count]") -> tuple[str, int, int, int, int]:
    return (
        "all",
        sum(count.train for count in counts),
        sum(count.train_published for count in counts),
        sum(count.test for count in counts),
        sum(count.test_published for count in counts),
    )


def _what_differs(found: "Verification") -> str:
    told = []
    if found.problems:
        told.append(f"{len(found.problems):,} {'problem' if len(found.problems) == 1 else 'problems'}")
    if found.differing:
        told.append(f"{len(found.differing)} of {len(found.counts)} classes have other counts than published")
    return ", ".join(told)


def _what_agrees(found: "Verification") -> str:
    if found.name == "imagenet":
        return "classes and pictures are as many as published"
    if not found.counts:
        return "every file has its published md5"
    decoded = (
        f"all {found.pictures:,} pictures can be decoded" if found.pictures else "no picture was decoded"
    )
    return f"every class has its published counts, {decoded}"
