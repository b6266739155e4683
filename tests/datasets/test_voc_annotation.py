from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resbench.datasets.voc_annotation import VocObject, read_annotation
from resbench.datasets.voc_published import CLASSES
from resbench.errors import UsageError

ENTRY = ("2012", "train")
BOX = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_xml(text: str) -> Path:
        path = tmp_path / "2012_7.xml"
        path.write_text(text)
        return path

    return write_xml


@st.composite
def voc_objects(draw: st.DrawFn) -> VocObject:
    xmin, ymin = draw(st.integers(0, 400)), draw(st.integers(0, 400))
    return VocObject(
        year="2012",
        split="train",
        image="2012_7",
        class_name=draw(st.sampled_from(CLASSES)),
        box=(xmin, ymin, xmin + draw(st.integers(1, 99)), ymin + draw(st.integers(1, 99))),
        difficult=draw(st.booleans()),
    )


def as_xml(found: VocObject, *, parts: bool, fraction: str, space: str) -> str:
    part = f"<part><name>head</name>{BOX}</part>" if parts else ""
    fields = "".join(
        f"<{name}>{space}{value}{fraction}{space}</{name}>"
        for name, value in zip(
            ("xmax", "xmin", "ymax", "ymin"), [found.box[i] for i in (2, 0, 3, 1)], strict=True
        )
    )
    return (
        f"<object>{part}<name>{space}{escape(found.class_name)}{space}</name><pose>Left</pose>"
        f"<difficult>{int(found.difficult)}</difficult><bndbox>{fields}</bndbox></object>"
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    objects=st.lists(voc_objects(), max_size=5),
    parts=st.booleans(),
    fraction=st.sampled_from(["", ".0", ".70000076293945", ".99"]),
    space=st.sampled_from(["", "\n  "]),
)
def test_reads_back_what_was_written(
    write: Write, objects: list[VocObject], parts: bool, fraction: str, space: str
) -> None:
    blocks = [as_xml(found, parts=parts, fraction=fraction, space=space) for found in objects]
    path = write(f"<annotation><object_count/>{''.join(blocks)}</annotation>")

    assert read_annotation(path, ENTRY) == tuple(objects)


def test_an_object_without_difficult_is_not_difficult(write: Write) -> None:
    path = write(f"<annotation><object><name>dog</name>{BOX}</object></annotation>")

    assert [found.difficult for found in read_annotation(path, ENTRY)] == [False]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "cannot be read as XML"),
        ("<annotation><object>", "cannot be read as XML"),
        ("<html><body>404</body></html>", "root is not <annotation>"),
        (f"<annotation><object><name>dgo</name>{BOX}</object></annotation>", "did you mean dog"),
        (f"<annotation><object>{BOX}</object></annotation>", "no <name>"),
        ("<annotation><object><name>dog</name></object></annotation>", "no <bndbox><xmin>"),
        (
            f"<annotation><object><name>dog</name><part>{BOX}</part></object></annotation>",
            "no <bndbox><xmin>",
        ),
        (
            f"<annotation><object><name>dog</name>{BOX.replace('<ymax>40</ymax>', '')}</object></annotation>",
            "no <bndbox><ymax>",
        ),
        (
            f"<annotation><object><name>dog</name>{BOX.replace('30', 'wide')}</object></annotation>",
            "box 1 2 wide 40 is not four numbers",
        ),
        (
            f"<annotation><object><name>dog</name>{BOX.replace('30', 'nan')}</object></annotation>",
            "is not four numbers",
        ),
        (
            f"<annotation><object><name>dog</name>{BOX.replace('30', 'inf')}</object></annotation>",
            "is not four numbers",
        ),
        (
            f"<annotation><object><name>dog</name>{BOX.replace('30', '1')}</object></annotation>",
            "box 1 2 1 40 is empty",
        ),
        (
            f"<annotation><object><name>dog</name>{BOX.replace('>1<', '>-5<')}</object></annotation>",
            "is empty",
        ),
        (
            f"<annotation><object><name>dog</name><difficult>maybe</difficult>{BOX}</object></annotation>",
            "<difficult> is 'maybe'",
        ),
        (
            '<!DOCTYPE a [<!ENTITY b "c">]><annotation><object><name>&b;</name></object></annotation>',
            "cannot be read as XML",
        ),
    ],
)
def test_bad_xml_is_told_in_one_line_that_names_the_file(write: Write, text: str, complaint: str) -> None:
    path = write(text)

    with pytest.raises(UsageError) as raised:
        read_annotation(path, ENTRY)

    assert str(path) in str(raised.value)
    assert complaint in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.xml"):
        read_annotation(tmp_path / "gone.xml", ENTRY)
