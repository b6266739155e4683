"""The core count, twice it, and whoever counts the same."""

from dataclasses import replace

from resbench.architectures.description import Architecture
from resbench.architectures.forms import Block, Shortcut
from resbench.architectures.residual import ResidualBody
from resbench.metrics.flops.ledger import Row
from resbench.metrics.flops.terms import Convention, Terms, core


def _twice(row: Row) -> Terms:
    return core(row, 2)


def _of_the_paper(architecture: Architecture) -> Architecture:
    """Return the form that Table 1 of He et al. 2015 counts: stride on the first 1x1, or option A for basic blocks."""
    body = architecture.body
    if not isinstance(body, ResidualBody) or body.shortcut is not Shortcut.PROJECTION:
        return architecture
    if body.block is Block.BASIC:
        return replace(architecture, body=replace(body, shortcut=Shortcut.ZERO_PAD))
    return replace(architecture, body=replace(body, stride_on_1x1=True))


CONVENTIONS = (
    Convention(
        name="core-macs",
        metric="macs",
        rule="multiply-accumulates of convolutions and linear layers for one image, no bias",
        row=core,
    ),
    Convention(
        name="flops",
        metric="flops",
        rule="2 x core: multiplication and addition counted apart",
        row=_twice,
    ),
    Convention(
        name="paper2015",
        metric="macs",
        rule="core of the form in He et al. 2015, Table 1: stride on the first 1x1 of a bottleneck, option A for 18 and 34",
        row=core,
        form=_of_the_paper,
    ),
    Convention(
        name="torchvision",
        metric="macs",
        rule="core; the weights' metadata label its billions GFLOPS",
        tool="torchvision 0.29.1",
        row=core,
    ),
    Convention(
        name="flop-counter-mode",
        metric="flops",
        rule="2 x core, attention included",
        tool="torch 2.15.0",
        row=_twice,
    ),
)
