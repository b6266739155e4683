"""One picture's XML to its objects."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, parse

from resbench.datasets.voc_layout import List
from resbench.datasets.voc_published import COUNTS
from resbench.errors import UsageError, unknown

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_FIELDS = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True, kw_only=True)
class VocObject:
    """One annotated object.

    Attributes:
        year, split: the list it was found through, "2007" and "trainval".
        image: name of the picture, without its suffix.
        class_name: one of the twenty.
        box: (xmin, ymin, xmax, ymax) as the XML has them: pixels counted from 1, both ends belonging to the object.
        difficult: whether VOC leaves it out of its own evaluations, and this protocol out of its samples.
    """

    year: str
    split: str
    image: str
    class_name: str
    box: tuple[int, int, int, int]
    difficult: bool


def read_annotation(path: Path, entry: List) -> tuple[VocObject, ...]:
    """Return the objects of one picture, in the order of its XML.

    Coordinates are whole numbers in the published list of all 62,199 boxes of VOC 07+12; some XML files of VOC2012
    have fractions ("45.70"), which are cut off. `difficult` may be missing and is then 0, as in the VOC development
    kit. The boxes of an object's parts (head, hand, foot) are not objects and are left out.

    Args:
        path: the XML; the picture has its name.
        entry: year and split of the list that names the picture.

    Raises:
        UsageError: the file is missing or is no VOC annotation; the message names it.
    """
    try:
        root = parse(path).getroot()
    except (OSError, ParseError, DefusedXmlException) as error:
        raise UsageError(f"{path} cannot be read as XML: {error}") from error
    if root is None or root.tag != "annotation":
        raise UsageError(f"{path} is no VOC annotation: its root is not <annotation>")
    try:
        return tuple(_read_object(element, path.stem, entry) for element in root.findall("object"))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _read_object(element: "Element", image: str, entry: List) -> VocObject:
    class_name = _text(element, "name")
    if class_name not in COUNTS:
        raise unknown("class", class_name, COUNTS)
    difficult = (element.findtext("difficult") or "0").strip()
    if difficult not in ("0", "1"):
        raise UsageError(f"<difficult> is '{difficult}', not 0 or 1")
    return VocObject(
        year=entry[0],
        split=entry[1],
        image=image,
        class_name=class_name,
        box=_read_box(element),
        difficult=difficult == "1",
    )


def _read_box(element: "Element") -> tuple[int, int, int, int]:
    texts = [_text(element, f"bndbox/{field}") for field in _FIELDS]
    try:
        xmin, ymin, xmax, ymax = (int(float(text)) for text in texts)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"the box {' '.join(texts)} is not four numbers") from error
    if not (0 <= xmin < xmax and 0 <= ymin < ymax):
        raise UsageError(
            f"the box {' '.join(texts)} is empty: it needs 0 <= xmin < xmax and 0 <= ymin < ymax"
        )
    return (xmin, ymin, xmax, ymax)


def _text(element: "Element", path: str) -> str:
    text = (element.findtext(path) or "").strip()
    if not text:
        raise UsageError(f"an <object> has no <{path.replace('/', '><')}>")
    return text
