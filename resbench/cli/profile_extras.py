"""What `resbench profile` shows on demand: the roof of the machine, the table of layers, a trace."""

from collections.abc import Sequence
from typing import NamedTuple

import torch

from resbench.architectures.layers import Layer
from resbench.cli.layer_views import layers_as_json, show_layers
from resbench.cli.output import Format, print_line
from resbench.cli.profile_options import Extras
from resbench.cli.roofline_views import estimates_as_json, roofline_as_json, show_estimates, show_roofline
from resbench.cli.sections import Say, Section
from resbench.cli.titled import print_notes, print_titled
from resbench.errors import UsageError
from resbench.metrics.latency.diagnosis import Roof
from resbench.metrics.roofline.breakdown import lines_of
from resbench.metrics.roofline.bytes import costs_of
from resbench.metrics.roofline.ceiling import Ceilings, default_folder, find_ceilings
from resbench.metrics.roofline.ceilings import ceilings_here
from resbench.metrics.roofline.devices import estimates
from resbench.metrics.roofline.operators import measure_layers
from resbench.metrics.roofline.plot import check_picture_file, write_picture
from resbench.metrics.roofline.roof import MFU_CONVENTION, TRAINING_MFU_CONVENTION, flops_utilisation
from resbench.metrics.roofline.trace import check_trace_file, write_trace
from resbench.metrics.roofline.training import StepCost, step_cost_of
from resbench.models.layering import layered
from resbench.trial.case import Case, labels
from resbench.trial.findings import Finding
from resbench.trial.live import Live, live
from resbench.units import percent


class CaseRoof(NamedTuple):
    """The roof over one case, where it is known; `earlier`: whether it was measured before this command."""

    of_case: Roof | None
    ceilings: Ceilings | None
    earlier: bool = True


def check_extras(cases: Sequence[Case], extras: Extras) -> None:
    """Refuse, before anything is measured, what can't be shown.

    Raises:
        UsageError: layers, a picture, a trace or energy of several cases; of what is not eager inference, but for energy; no
            file for the trace or the picture.
    """
    wanted = extras.of_one_case
    if wanted and len(cases) > 1:
        raise UsageError(f"{wanted} show one case, and {len(cases)} are asked for: name one")
    if extras.inside and (cases[0].backend, cases[0].mode) != ("eager", "inference"):
        raise UsageError(f"{extras.inside} show eager inference: what is compiled has no layers any more")
    if extras.trace is not None:
        check_trace_file(extras.trace)
    if extras.plot is not None:
        check_picture_file(extras.plot)


def roof_of(case: Case, machine_id: str, extras: Extras, say: Say) -> CaseRoof:
    """Return the roof over a case: measured now where it is asked for, else only where it is known from before."""
    device = torch.device(case.device)
    threads = case.threads if device.type == "cpu" else 0
    if extras.wants_roof:
        ceilings, earlier = ceilings_here(
            default_folder(), machine_id, device, case.precision, case.threads, say=say
        )
    else:
        known = find_ceilings(default_folder(), machine_id, case.device, case.precision, threads)
        if known is None:
            return CaseRoof(None, None)
        ceilings, earlier = known, True
    if ceilings.disturbed:
        # The machine may do better: what stands under such a roof is not known.
        return CaseRoof(None, ceilings, earlier)
    cost = _cost(case)
    roof = Roof(
        flops=cost.flops,
        bytes_moved=cost.moved,
        peak_flops=ceilings.roof.peak,
        peak_bytes=ceilings.roof.bandwidth,
    )
    return CaseRoof(roof, ceilings, earlier)


def _cost(case: Case) -> StepCost:
    """Return what one call asks of the device: a forward pass, or a whole training step."""
    layers = _layers(case)
    if case.mode == "training":
        return step_cost_of(layers, case.precision, case.batch_size)
    costs = costs_of(layers, case.precision, case.batch_size)
    return StepCost(
        macs=case.batch_size * sum(layer.macs for layer in layers),
        flops=sum(cost.flops for cost in costs),
        moved=sum(cost.moved for cost in costs),
    )


def roof_section(finding: Finding, ceilings: Ceilings, *, earlier: bool) -> Section:
    """Return the roof with the share of it that a case reaches, and lower bounds on other devices."""
    case = finding.case
    # The roof is as the machine was at its best, and so as timed.
    latency = finding.find("latency_as_timed") or finding.find("latency")
    latency_s = latency.value if latency and not ceilings.disturbed else None
    macs = _cost(case).macs
    convention = TRAINING_MFU_CONVENTION if case.mode == "training" else MFU_CONVENTION
    others = estimates(_layers(case), case.precision, case.batch_size)

    def show(output: Format) -> None:
        print_line("")
        show_roofline(
            ceilings, output, core_macs=macs, latency_s=latency_s, known=earlier, convention=convention
        )
        print_line("")
        title = f"one forward pass of {case.model}, batch {case.batch_size}, {case.precision}"
        show_estimates(others, output, title)

    measured = roofline_as_json(ceilings, core_macs=macs, latency_s=latency_s, convention=convention)
    return Section(show, {"roofline": measured, "estimates": estimates_as_json(others)})


def roofs_section(found: Sequence[Finding], roofs: Sequence[CaseRoof]) -> Section:
    """Return each roof that several cases stand under, and the share of it that each case reaches."""
    known = {
        (roof.ceilings.precision, roof.ceilings.threads): roof for roof in roofs if roof.ceilings is not None
    }
    names = labels(tuple(finding.case for finding in found))
    shares = {name: _mfu(finding, roof) for name, finding, roof in zip(names, found, roofs, strict=True)}
    training = any(finding.case.mode == "training" for finding in found)
    convention = TRAINING_MFU_CONVENTION if training else MFU_CONVENTION

    def show(output: Format) -> None:
        for roof in known.values():
            if roof.ceilings is not None:
                print_line("")
                show_roofline(roof.ceilings, output, known=roof.earlier)
        print_line("")
        rows = [{"case": name, "MFU": "" if mfu is None else percent(mfu, 1)} for name, mfu in shares.items()]
        print_titled(rows, output, "shares of the roof")
        print_notes([f"MFU: {convention}."], output)

    measured = [
        roofline_as_json(roof.ceilings, convention=convention)
        for roof in known.values()
        if roof.ceilings is not None
    ]
    return Section(show, {"rooflines": measured, "mfu": shares, "mfu_convention": convention})


def _mfu(finding: Finding, roof: CaseRoof) -> float | None:
    latency = finding.find("latency_as_timed") or finding.find("latency")
    if latency is None or roof.ceilings is None or roof.ceilings.disturbed:
        return None
    return flops_utilisation(_cost(finding.case).macs, latency.value, roof.ceilings.roof.peak)


def inner_sections(case: Case, ceilings: Ceilings | None, extras: Extras, say: Say) -> list[Section]:
    """Return table and picture of the layers, and the trace, from passes in this process after all else was measured."""
    if not extras.inside:
        return []
    before = torch.get_num_threads()
    torch.set_num_threads(case.threads)
    try:
        with live(case) as opened:
            return [*_layer_sections(opened, ceilings, extras, say), *_trace_section(opened, extras, say)]
    finally:
        torch.set_num_threads(before)


def _layer_sections(opened: Live, ceilings: Ceilings | None, extras: Extras, say: Say) -> list[Section]:
    case = opened.case
    if not (extras.layers or extras.plot) or opened.module is None:
        return []
    say("layers")
    device = torch.device(case.device)
    layers = _layers(case)
    times = measure_layers(opened.module, opened.call, layers, device)
    roof = ceilings.roof if ceilings else None
    # The machine may do better than a disturbed roof: no bound or share is told of it, and a picture says that it is one.
    told = None if ceilings and ceilings.disturbed else roof
    lines = lines_of(layers, precision=case.precision, batch_size=case.batch_size, times=times, roof=told)

    def show(output: Format) -> None:
        print_line("")
        show_layers(lines, times, told, output, case.label)

    sections = [Section(show, layers_as_json(lines, times, told))] if extras.layers else []
    if extras.plot is not None and roof is not None:
        beside = " (other programs ran)" if ceilings and ceilings.disturbed else ""
        write_picture(extras.plot, lines, roof, f"{case.label}: layers under the measured roof{beside}")
        text = f"Picture of the layers under the roof in {extras.plot}."
        picture: dict[str, object] = {"plot": str(extras.plot)}
        sections.append(Section(lambda _output: print_line(f"\n{text}"), picture))
    return sections


def _trace_section(opened: Live, extras: Extras, say: Say) -> list[Section]:
    if extras.trace is None or opened.module is None:
        return []
    say("trace")
    traced = write_trace(extras.trace, opened.module, opened.call, torch.device(opened.case.device))
    text = f"Trace of {traced.passes} passes in {traced.file}: open it at https://ui.perfetto.dev."
    return [Section(lambda _output: print_line(f"\n{text}"), {"trace": str(traced.file)})]


def _layers(case: Case) -> tuple[Layer, ...]:
    return layered(case.model, case.input_CHW, case.num_classes).layers
