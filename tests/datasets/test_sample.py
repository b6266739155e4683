from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resbench.datasets.data import Data, Split
from resbench.datasets.sample import LABEL, draw_sample
from resbench.datasets.sample_looks import LOOKS
from resbench.datasets.voc_crops import open_voc
from resbench.datasets.voc_index import VocIndex, read_index
from resbench.datasets.voc_published import CLASSES


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    draw_sample(root / "VOCdevkit")
    return root


@pytest.fixture(scope="module")
def index(drawn: Path) -> VocIndex:
    return read_index(drawn)


@pytest.fixture(scope="module")
def data(drawn: Path) -> Data:
    return open_voc(drawn, label=LABEL)


def test_every_class_has_a_look_of_its_own() -> None:
    assert tuple(LOOKS) == CLASSES
    assert len(set(LOOKS.values())) == len(LOOKS)


def test_torchvision_reads_it_as_pascal_voc(drawn: Path, index: VocIndex) -> None:
    from torchvision.datasets import VOCDetection

    for year, image_set, count in [
        ("2007", "trainval", 100),
        ("2007", "test", 80),
        ("2012", "trainval", 140),
    ]:
        peer = VOCDetection(str(drawn), year=year, image_set=image_set)
        seen = [
            (found["name"], tuple(int(found["bndbox"][side]) for side in ("xmin", "ymin", "xmax", "ymax")))
            for _, target in (peer[number] for number in range(len(peer)))
            for found in target["annotation"]["object"]
        ]
        ours = [
            (found.class_name, found.box)
            for found in (*index.train, *index.test)
            if (found.year, found.split) == (year, image_set)
        ]
        assert len(peer) == count
        assert seen == ours


def test_it_is_the_partition_of_the_protocol(index: VocIndex) -> None:
    assert index.partition.name == "VOC 07+12"
    assert index.pictures == (240, 80)


def test_it_has_what_makes_voc_hard_to_read(index: VocIndex) -> None:
    objects = (*index.train, *index.test)
    a_picture = Counter((found.year, found.image) for found in objects)

    assert {1, 2, 3} == set(a_picture.values())
    assert 0.05 < sum(found.difficult for found in objects) / len(objects) < 0.2
    assert len({found.box for found in objects}) > 0.9 * len(objects)


def test_boxes_lie_in_their_pictures(index: VocIndex) -> None:
    for found in (*index.train, *index.test):
        xmin, ymin, xmax, ymax = found.box
        assert 1 <= xmin < xmax <= 160
        assert 1 <= ymin < ymax <= 120


def test_every_class_can_be_learned_and_tested(data: Data) -> None:
    trained, tested = Counter(data.train.labels), Counter(data.test.labels)

    assert min(trained[label] for label in range(20)) >= 10
    assert min(tested[label] for label in range(20)) >= 2
    assert data.identity.majority < 0.1


def test_one_seed_decides_all_of_it(drawn: Path, tmp_path: Path) -> None:
    draw_sample(tmp_path / "VOCdevkit")

    first, second = (
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (drawn, tmp_path)
    )
    assert len(first) == 2 * 320 + 7
    assert first == second


def test_progress_reaches_the_number_of_pictures(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    draw_sample(tmp_path / "VOCdevkit", progress=lambda *step: told.append(step))

    assert told[-1] == ("drawing the sample", 320, 320)


def test_its_classes_can_be_told_apart(data: Data) -> None:
    # Without any learning of features: the class whose mean training crop is nearest.
    train, test = _small(data.train), _small(data.test)
    labels = np.array(data.train.labels)
    means = np.stack([train[labels == label].mean(axis=0) for label in range(20)])
    distances = ((test[:, None, :] - means[None]) ** 2).sum(axis=2)

    accuracy = (distances.argmin(axis=1) == np.array(data.test.labels)).mean()

    assert accuracy > 5 * data.identity.majority


def _small(split: Split) -> np.ndarray:
    crops = (split.load(number).resize((12, 12), Image.Resampling.BILINEAR) for number in range(len(split)))
    return np.stack([np.asarray(crop, dtype=np.float64).ravel() for crop in crops])
