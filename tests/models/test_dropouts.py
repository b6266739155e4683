"""Dropouts are seen where they stand, as modules and as functions, and the network is left as it was."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from resbench.architectures.plan import Kind
from resbench.models.dropouts import ActiveDropouts
from resbench.models.observing import observe


class Dropping(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(3, 3, 1)
        self.module = nn.Dropout2d(0.2)
        self.never = nn.Dropout(0.0)

    def forward(self, image: Tensor) -> Tensor:
        out = self.never(self.module(self.convolution(image)))
        return functional.dropout(image, training=self.training) + functional.dropout(
            out, p=0.5, training=False
        )


def test_dropouts_are_seen_where_they_stand() -> None:
    with torch.device("meta"):
        network = Dropping()
    with ActiveDropouts():
        layers = observe(network, (3, 4, 4)).layers
    assert [layer.kind for layer in layers] == [
        Kind.CONVOLUTION,
        Kind.DROPOUT,
        Kind.DROPOUT,
        Kind.DROPOUT,
        Kind.ADD,
    ]
    assert (layers[1].name, layers[1].sources, layers[2].sources) == ("module", (0,), (-1,))
    assert layers[4].sources == (2, 3)


def test_without_it_none_is_seen() -> None:
    with torch.device("meta"):
        network = Dropping().train()
    assert Kind.DROPOUT not in {layer.kind for layer in observe(network, (3, 4, 4)).layers}
    assert network.training
