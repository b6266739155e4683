"""What was run, and where: the recipe, the data, each run, the environments."""

from collections.abc import Callable, Sequence

from resbench.reporting.comparison import rows_of
from resbench.reporting.figures import NONE, NOT_RUN, test_samples, timing
from resbench.reporting.markdown import blocks, bullets, table
from resbench.reporting.selection import Selection
from resbench.results import Environment, Result, digest, plain
from resbench.statistics.verdicts import leaves, said
from resbench.units import duration


def what_was_run(selection: Selection) -> str:
    """Return the recipe beside the published one, the data, and a line for each run."""
    return blocks(_recipe(selection), _arm_recipes(selection), _data(selection), _runs(selection))


def _recipe(selection: Selection) -> str:
    recipe = selection.suite.recipe
    if recipe is None:
        return ""
    source = recipe.source
    origin = f"The recipe is that of {source.title}: {source.where} (<{source.url}>)."
    published = _fields(plain(recipe))
    first = selection.first_trained
    ours = _fields(first.experiment["recipe"]) if first else {}
    rows = [
        _setting(name, ours.get(name, NONE if ours else NOT_RUN), published.get(name, NONE))
        for name in dict.fromkeys([*published, *ours])
    ]
    return blocks(origin, table(("Setting", "This run", "Published", "Differs"), rows))


def _arm_recipes(selection: Selection) -> str:
    """Return what the recipes of single arms have otherwise than the suite's."""
    suite = selection.suite
    if suite.recipe is None:
        return ""
    common = _fields(plain(suite.recipe))
    lines = []
    for arm in selection.arms:
        own = _fields(plain(suite.recipe_of(arm)))
        changed = [f"{name} {value}" for name, value in own.items() if value != common.get(name)]
        changed += [f"data {arm.data}"] if arm.data else []
        lines += [f"{arm.label}: {'; '.join(changed)}."] if changed else []
    return blocks("In these arms the published recipe is another:", bullets(lines)) if lines else ""


def _setting(name: str, ours: str, published: str) -> tuple[str, str, str, str]:
    return (name, ours, published, "yes" if ours not in (published, NOT_RUN) else "")


def _fields(recipe: dict[str, object]) -> dict[str, str]:
    found = {name: said(value) for name, value in leaves(recipe) if not name.startswith("source.")}
    return {
        name.replace("_", " ").replace(".", ": "): value for name, value in found.items() if name != "name"
    }


def _data(selection: Selection) -> str:
    lines = []
    for data in selection.data:
        kind = "the whole published data set" if data["official"] else "not the published data set"
        lines.append(
            f"Data: **{data['label']}** ({kind}), {data['classes']} classes, {data['train_samples']:,} training and "
            f"{data['test_samples']:,} test samples; the limits above may use fewer."
        )
    return blocks(*lines)


def _runs(selection: Selection) -> str:
    headers = (
        "Architecture",
        "Seed",
        "Epochs",
        "Training samples an epoch",
        "Test samples",
        "Time",
        "Training, images/s",
        "Started (UTC)",
    )
    rows: list[tuple[str, ...]] = []
    for row in rows_of(selection):
        if row.trained is None:
            rows.append((row.arm.label, NONE, NOT_RUN, NONE, NONE, NONE, NONE, NONE))
        else:
            rows.append((row.arm.label, str(row.trained.experiment["seed"]), *_run_cells(row.trained)))
    return table(headers, rows, numbers=(1, 2, 3, 4))


def _run_cells(trained: Result) -> tuple[str, ...]:
    last = trained.epochs[-1] if trained.epochs else None
    rate = trained.find("images_per_second")
    return (
        str(len(trained.epochs)),
        f"{last.train.samples:,}" if last else NONE,
        f"{samples:,}" if (samples := test_samples(trained)) else NONE,
        duration(trained.seconds),
        timing(rate) if rate else NONE,
        trained.started[:16].replace("T", " "),
    )


def environments(selection: Selection) -> str:
    """Return where the results come from: each machine with its software once, each set of settings once."""
    places = _grouped(selection.results, _place)
    parts = []
    for place in places:
        parts.append(f"{_uses(place, selection)}:" if len(places) > 1 else "")
        parts.append(table(("Kind", "What", "Value"), _place_rows(place[0].environment)))
        for alike in _grouped(place, lambda result: result.environment.settings):
            if not alike[0].environment.settings:
                continue  # nothing ran
            parts.append(f"Settings. {_uses(alike, selection)}:")
            parts.append(table(("Setting", "Value"), list(alike[0].environment.settings.items())))
    return blocks(*parts)


def _grouped(results: Sequence[Result], key: Callable[[Result], object]) -> list[list[Result]]:
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(digest(key(result)), []).append(result)
    return list(found.values())


def _place(result: Result) -> object:
    environment = result.environment
    return [environment.machine, environment.software, environment.commit, environment.changed]


def _place_rows(environment: Environment) -> list[tuple[str, str, str]]:
    rows = [("machine", name, value) for name, value in environment.machine.items()]
    rows += [("software", name, value) for name, value in environment.software.items()]
    if environment.commit:
        changes = ", with uncommitted changes" if environment.changed else ""
        rows.append(("software", "resbench commit", f"{environment.commit}{changes}"))
    return rows


def _uses(results: Sequence[Result], selection: Selection) -> str:
    """Return what was done there: "Profile: ResNet-18, ResNet-34; training: ResNet-18"."""
    labels = selection.labels
    kinds: dict[str, list[str]] = {}
    for result in results:
        kind = f"training, seed {result.experiment['seed']}"
        if result.experiment["recipe"] is None:
            kind = "test" if result.experiment.get("evaluation") else "profile"
        names = kinds.setdefault(kind, [])
        names += [] if labels[result.key] in names else [labels[result.key]]
    text = "; ".join(f"{kind} of {', '.join(names)}" for kind, names in kinds.items())
    return f"{text[:1].upper()}{text[1:]}"


def notes(selection: Selection) -> str:
    """Return what the profiles say of themselves, each sentence once; empty where they say nothing."""
    labels = selection.labels
    said_by: dict[str, list[str]] = {}
    for result in selection.results:
        if result.experiment["recipe"]:
            continue  # the notes on training runs stand at the head of the report
        for note in result.notes:
            speakers = said_by.setdefault(note, [])
            label = labels[result.key]
            speakers += [] if label in speakers else [label]
    return bullets(f"{', '.join(speakers)}: {note}" for note, speakers in said_by.items())
