"""How memory, predicted beside measured, the batch that fits, and energy are shown. `resbench profile` calls these."""

from collections.abc import Iterator, Sequence

from resbench.cli.output import Format, Record, print_json, print_line, print_records
from resbench.metrics.energy.per_image import Energy
from resbench.metrics.memory.asking import Measured
from resbench.metrics.memory.fitting import Fit
from resbench.metrics.memory.heap import Purpose
from resbench.metrics.memory.prediction import Prediction
from resbench.units import GIGA, MB, MIB, percent

_GIB = 2**30
HEAP_KEEPS = "heap keeps, not given back"
"""What the C library's default heap takes beyond what is in use: freed blocks."""


def show_memory(
    prediction: Prediction, measured: Measured | None, usual: Measured | None, output: Format, title: str
) -> None:
    """Print what memory is for, predicted and measured side by side.

    Args:
        prediction: from the layers.
        measured: in a fresh process; on the CPU one that gives freed memory back at once. None: not to be had.
        usual: on the CPU, in a fresh process with the C library's default heap; None: not measured.
        output: how it is printed; csv has the table in bytes, json has all.
        title: says which network, batch, precision and device.
    """
    if output is Format.JSON:
        print_json(memory_as_json(prediction, measured, usual))
        return
    rows = list(_rows(prediction, measured, usual))
    if output is Format.CSV:
        print_records(rows, output)
        return
    _print([_shown(row) for row in rows], output, title)
    _notes(_memory_notes(prediction, measured, usual), output)


def memory_as_json(
    prediction: Prediction, measured: Measured | None, usual: Measured | None
) -> dict[str, object]:
    """Return all of it in bytes, under keys that stay."""
    return {
        "predicted": {str(purpose): size_B for purpose, size_B in prediction.parts.items()},
        "predicted_peak": prediction.peak,
        "predicted_at_peak": {str(purpose): size_B for purpose, size_B in prediction.at_peak.items()},
        "peak_during": prediction.peak_during,
        "measured": {str(purpose): size_B for purpose, size_B in measured.parts.items()}
        if measured
        else None,
        "measured_peak": measured.peak if measured else None,
        "measured_workspace": _workspace(prediction, measured),
        "method": measured.method if measured else None,
        "residual": measured.peak / prediction.peak - 1 if measured else None,
        "usual_heap_peak": usual.peak if usual else None,
        "heap_keeps": usual.peak - measured.peak if measured and usual else None,
    }


def show_fit(inference: Fit, training: Fit, output: Format, title: str, notes: Sequence[str] = ()) -> None:
    """Print which batch infers and which trains within a memory; an answer that was only predicted stands apart."""
    rows = [_fit_row("inference", inference), _fit_row("training", training)]
    if output in (Format.JSON, Format.CSV):
        print_records(rows, output)
        return
    shown = [
        {
            "mode": row["mode"],
            "largest_batch": fit.batch_size,
            "predicted_batch": fit.predicted,
            "predicted_MiB": _scaled(fit.predicted_B, MIB),
            "measured_MiB": _scaled(fit.measured_B, MIB),
            "next_batch_MiB": _scaled(fit.next_B, MIB),
            "verified": fit.unverified or "yes",
        }
        for row, fit in zip(rows, (inference, training), strict=True)
    ]
    limit_B = inference.limit_B
    _print(shown, output, f"{title}: what fits into {limit_B / _GIB:.2f} GiB ({limit_B / GIGA:.2f} GB)")
    if notes:
        _notes(notes, output)


def show_energy(energy: Energy, output: Format, title: str) -> None:
    """Print the energy of one picture."""
    if output is Format.JSON:
        print_json(energy_as_json(energy))
        return
    if output is Format.CSV:
        print_records([energy_as_json(energy)], output)
        return
    rows = [
        {
            "figure": "energy of an image, above idle",
            "value": f"{energy.net_J:.3g} [{energy.low_J:.3g}, {energy.high_J:.3g}] J",
        },
        {"figure": "energy of an image, all", "value": f"{energy.gross_J:.3g} J"},
        {"figure": "power while idle", "value": f"{energy.idle_W:.1f} ± {energy.idle_half_W:.1f} W"},
        {"figure": "power at work", "value": f"{energy.active_W:.1f} W"},
    ]
    _print(rows, output, title)
    _notes([f"{energy.sentence[0].upper()}{energy.sentence[1:]}."], output)


def energy_as_json(energy: Energy) -> dict[str, object]:
    """Return it in base units, under keys that stay."""
    return {
        "net_joules_per_image": energy.net_J,
        "low": energy.low_J,
        "high": energy.high_J,
        "gross_joules_per_image": energy.gross_J,
        "idle_watts": energy.idle_W,
        "idle_watts_half_width": energy.idle_half_W,
        "active_watts": energy.active_W,
        "images": energy.images,
        "seconds": energy.seconds,
        "counter_period_seconds": energy.period_s,
        "window_seconds": energy.window_s,
        "counter": energy.counter,
    }


def _rows(prediction: Prediction, measured: Measured | None, usual: Measured | None) -> Iterator[Record]:
    parts = dict(measured.parts) if measured else {}
    for purpose in Purpose:
        size_B = prediction.parts.get(purpose)
        if purpose is Purpose.BUFFERS or size_B is None:
            continue
        name, at_peak = str(purpose), prediction.at_peak.get(purpose, 0)
        if purpose is Purpose.WEIGHTS and Purpose.BUFFERS in prediction.parts:
            name, size_B = "weights and buffers", size_B + prediction.parts[Purpose.BUFFERS]
            at_peak += prediction.at_peak.get(Purpose.BUFFERS, 0)
        yield _row(name, size_B, parts.get(purpose), at_peak)
    workspace = prediction.at_peak.get(Purpose.WORKSPACE, 0)
    yield _row("workspace", workspace, _workspace(prediction, measured), workspace)
    yield _row("peak", prediction.peak, measured.peak if measured else None, prediction.peak)
    if measured and usual:
        yield _row(HEAP_KEEPS, None, usual.peak - measured.peak, None)
        yield _row("peak with the default heap", None, usual.peak, None)


def _workspace(prediction: Prediction, measured: Measured | None) -> int | None:
    """Return what the measured peak has beyond the measured parts, as far as those are predicted to be alive then."""
    if measured is None:
        return None
    alive = sum(
        size_B * prediction.at_peak.get(purpose, 0) / prediction.parts[purpose]
        for purpose, size_B in measured.parts.items()
        if prediction.parts.get(purpose)
    )
    return measured.peak - round(alive)


def _row(name: str, predicted: int | None, measured: int | None, at_peak: int | None) -> Record:
    return {
        "memory": name,
        "predicted": predicted,
        "measured": measured,
        "residual": None if predicted is None or measured is None else measured - predicted,
        "at_peak": at_peak,
    }


def _shown(row: Record) -> Record:
    """Return a row in MiB, with the prediction in MB, too."""
    predicted, measured, residual, at_peak = (
        row[name] for name in ("predicted", "measured", "residual", "at_peak")
    )
    return {
        "memory": row["memory"],
        "predicted_MB": _scaled(predicted, MB),
        "predicted_MiB": _scaled(predicted, MIB),
        "measured_MiB": _scaled(measured, MIB),
        "residual_MiB": _scaled(residual, MIB),
        "residual": _share(residual, predicted),
        "of_the_peak_MiB": _scaled(at_peak, MIB),
    }


def _share(residual: object, predicted: object) -> str:
    if not isinstance(residual, int) or not isinstance(predicted, int) or not predicted:
        return ""
    return f"{'+' if residual >= 0 else ''}{percent(residual / predicted, 1)}"


def _memory_notes(prediction: Prediction, measured: Measured | None, usual: Measured | None) -> Iterator[str]:
    yield f"The peak is predicted in {prediction.peak_during}; the last column says what it is made of. 1 MB is 10**6 bytes, 1 MiB 2**20."
    if measured:
        yield (
            f"Measured: {measured.method}. The residual is what no layer asked for: code that the library makes for each "
            "shape, its scratch space, small blocks of the heap. The measured workspace is the peak without the measured "
            "parts, of which the prediction says how much is alive then."
        )
    if measured and usual:
        yield (
            "The peak that is predicted is compared with a heap that gives freed memory back at once. The C library's default "
            f"heap keeps freed blocks: in another fresh process its peak was {usual.peak / MIB:,.1f} MiB ({usual.peak / MB:,.1f} MB)."
        )


def _fit_row(mode: str, fit: Fit) -> Record:
    return {
        "mode": mode,
        "limit_bytes": fit.limit_B,
        "largest_batch": fit.batch_size,
        "predicted_largest_batch": fit.predicted,
        "predicted_bytes": fit.predicted_B,
        "measured_bytes": fit.measured_B,
        "next_batch_bytes": fit.next_B,
        "unverified": fit.unverified,
    }


def _scaled(size_B: object, scale: int) -> str:
    return f"{size_B / scale:,.1f}" if isinstance(size_B, int) else ""


def _print(rows: Sequence[Record], output: Format, title: str) -> None:
    if output is Format.MARKDOWN:
        print_line(f"**{title}**\n")
    print_records(rows, output, title=title)


def _notes(notes: Sequence[str] | Iterator[str], output: Format) -> None:
    mark = "- " if output is Format.MARKDOWN else ""
    print_line("\n" + "\n".join(f"{mark}{note}" for note in notes))
