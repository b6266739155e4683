"""The subcommands: each module is imported only when its command is asked for, so that help answers at once."""

import importlib
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperGroup

from resbench.errors import unknown


@dataclass(frozen=True, slots=True)
class Subcommand:
    """Where a command is found, and the line that help shows of it without importing it.

    Attributes:
        module: that defines it.
        attribute: a function (one command) or a `typer.Typer` (a group of commands).
        summary: the first sentence of its own help; a test holds the two equal.
    """

    module: str
    attribute: str
    summary: str


SUBCOMMANDS = {
    "run": Subcommand(
        "resbench.cli.run", "run", "Train, test and profile the models of a suite, and write its report."
    ),
    "plan": Subcommand(
        "resbench.cli.plan",
        "plan",
        "Say what a suite will cost here, what of it fits into a time, and what that can show.",
    ),
    "evaluate": Subcommand(
        "resbench.cli.evaluate", "evaluate", "Test a network's weights on labelled pictures."
    ),
    "train": Subcommand(
        "resbench.cli.train", "train", "Train one network by a recipe, and keep its weights."
    ),
    "find-lr": Subcommand(
        "resbench.cli.find_lr",
        "find_lr",
        "Find the range of learning rates that a network can be trained at.",
    ),
    "profile": Subcommand(
        "resbench.cli.profile", "profile", "Measure what networks cost, and how fast they are here."
    ),
    "show": Subcommand(
        "resbench.cli.show",
        "show",
        "Show a network as a tree of its parts, or a suite with its question, arms, recipe and published figures.",
    ),
    "flops": Subcommand(
        "resbench.cli.flops", "flops", "Count the operations of one network, by every convention."
    ),
    "audit": Subcommand(
        "resbench.cli.audit", "audit", "Tell which catalogued network a model or a checkpoint is."
    ),
    "doctor": Subcommand(
        "resbench.cli.doctor",
        "doctor",
        "Say what makes measurements on this machine doubtful, each with a remedy.",
    ),
    "noise": Subcommand(
        "resbench.cli.noise", "noise", "Measure what differences this machine shows where there are none."
    ),
    "report": Subcommand(
        "resbench.cli.report", "report", "Write the report of a suite again from stored results."
    ),
    "list": Subcommand("resbench.cli.listing", "app", "List what resbench knows: models, suites."),
    "new": Subcommand("resbench.cli.new", "app", "Start a file of your own: a suite."),
    "data": Subcommand("resbench.cli.data", "app", "Prepare and verify data sets."),
}


class Group(TyperGroup):
    """A group of commands whose error for an unknown one names the nearest, and whose help cuts no line short."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return name, command and remaining arguments.

        Raises:
            UsageError: there is no such command.
        """
        names = self.list_commands(ctx)
        if args[0] not in names and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise unknown("command", args[0], names)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands with the first sentence of each."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.summary(ctx, name)) for name in self.list_commands(ctx)])

    def summary(self, ctx: Any, name: str) -> str:
        """Return the first sentence of a command's help."""
        command: Any = self.get_command(ctx, name)
        return str(command.get_short_help_str(limit=200))


class LazyGroup(Group):
    """The group of `SUBCOMMANDS`."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is typer's
        """Return the names in the order of the help."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is typer's
        """Return the command, importing its module; None where there is none."""
        return load(cmd_name) if cmd_name in SUBCOMMANDS else None

    def summary(self, ctx: Any, name: str) -> str:  # noqa: ARG002 - the signature is the group's
        """Return the first sentence of a command's help, importing nothing."""
        return SUBCOMMANDS[name].summary


def load(name: str) -> Any:
    """Return the subcommand `name` of `SUBCOMMANDS` as typer's command object."""
    subcommand = SUBCOMMANDS[name]
    module = importlib.import_module(subcommand.module)
    found = getattr(module, subcommand.attribute)
    # A lone command would not become a group; the callback makes it one, whatever `found` is.
    holder = typer.Typer(rich_markup_mode=None, callback=lambda: None)
    if isinstance(found, typer.Typer):
        holder.add_typer(found, name=name, cls=Group)
    else:
        holder.command(name, epilog=_unwrapped(getattr(module, "EPILOG", "")))(found)
    return typer.main.get_group(holder).commands[name]


def _unwrapped(epilog: str) -> str:
    """Mark examples as lines to be shown as they are (a line of its own with a backspace says so to typer)."""
    return "\n".join(["\b", *(line for line in epilog.splitlines() if line.strip())])
