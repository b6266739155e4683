"""What memory is measured of, as plain data that a fresh process gets as JSON. No torch."""

import json
from dataclasses import asdict, dataclass
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A network and what is done with it.

    Attributes:
        model: any name that `resbench.models.outside.open_model` takes.
        classes: outputs of the head; None: the network's own.
        batch_size: pictures in one call.
        input_CHW: one picture.
        device: `cpu`, `cuda` or `cuda:1`.
        precision: `fp32`, `tf32`, `bf16` or `fp16`.
        whole_model: whether bf16 and fp16 mean all tensors; else autocast.
        memory_format: `contiguous` or `channels_last`.
        training: two training steps; else one forward pass in evaluation.
        optimizer: `sgd` or `adam`.
        threads: how many the process computes with.
        returns_memory: on the CPU, whether freed memory goes back to the system at once, so that what is resident is what is
            in use; else the C library's heap keeps and cuts up freed blocks as it usually does.
    """

    model: str
    batch_size: int
    input_CHW: tuple[int, int, int]
    classes: int | None = None
    device: str = "cpu"
    precision: str = "fp32"
    whole_model: bool = False
    memory_format: str = "contiguous"
    training: bool = False
    optimizer: str = "sgd"
    threads: int = 1
    returns_memory: bool = True

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of one batch: pictures, channels, height, width."""
        return (self.batch_size, *self.input_CHW)

    def to_json(self) -> str:
        """Return the workload as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the workload of such a line."""
        data = json.loads(text)
        channels, height, width = data["input_CHW"]
        return cls(**{**data, "input_CHW": (channels, height, width)})
