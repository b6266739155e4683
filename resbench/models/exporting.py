"""Networks as ONNX files, which other runtimes read."""

import importlib
from pathlib import Path

import torch
from torch import Tensor, nn

from resbench.errors import ResbenchError
from resbench.models.quiet import quiet

NEEDS = ("onnx", "onnxscript")
"""What `torch.onnx.export` needs."""

INPUT = "images"
OUTPUT = "logits"


def export_onnx(module: nn.Module, images_BCHW: Tensor, file: Path) -> None:
    """Write the network in evaluation mode, for batches of exactly this shape, in float32.

    The graph is what `torch.export` traces, which refuses what depends on values instead of freezing it. Weights lie
    beside the file, because a file of ONNX is limited to 2 GiB.

    Args:
        module: a network in float32 on the CPU that returns one tensor.
        images_BCHW: example pictures in float32.
        file: where to; `<file>.data` beside it takes the weights.

    Raises:
        ResbenchError: PyTorch cannot export it.
    """
    errors = importlib.import_module("torch.onnx.errors")
    try:
        with quiet(), torch.no_grad():
            torch.onnx.export(
                module.eval(),
                (images_BCHW,),
                file,
                dynamo=True,
                external_data=True,
                input_names=[INPUT],
                output_names=[OUTPUT],
                verbose=False,
            )
    except (errors.OnnxExporterError, RuntimeError) as error:
        line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ResbenchError(f"this network cannot be exported to ONNX: {line}") from error
