"""What `resbench run` and `resbench plan` ask of a suite in the same words."""

from pathlib import Path
from typing import Annotated

import typer

SuiteName = Annotated[
    str,
    typer.Option(help="A suite of 'resbench list suites', or a file of your own: ./mine.toml, ./mine.py."),
]
Pictures = Annotated[
    Path | None, typer.Option(help="Folder of the real pictures. Without it, smoke runs on drawn ones.")
]
DeviceName = Annotated[str, typer.Option(help="cpu, cuda or cuda:N.")]
Models = Annotated[
    str, typer.Option(help="Some of the suite's arms or models, separated by commas; extra ones, too.")
]
