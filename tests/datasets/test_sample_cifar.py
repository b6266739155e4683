import pickle

import numpy as np
import pytest

from resbench.datasets.opening import open_data
from resbench.datasets.sample_cifar import LABEL, SIDE, TEST, TRAIN, DrawnPictures, draw, open_cifar_sample


@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("cifar100", 100)])
def test_it_has_the_form_of_cifar(name: str, classes: int) -> None:
    data = open_cifar_sample(name)
    assert (data.identity.kind, data.identity.classes, len(data.classes)) == (name, classes, classes)
    assert (len(data.train), len(data.test)) == (TRAIN, TEST)
    picture = data.train.load(0)
    assert (picture.size, picture.mode) == ((SIDE, SIDE), "RGB")
    counts = np.bincount(data.train.labels, minlength=classes)
    assert counts.min() == counts.max() == TRAIN // classes


def test_it_is_the_same_each_time_and_says_what_it_is() -> None:
    first = open_cifar_sample("cifar10").identity
    draw.cache_clear()
    again = open_data("cifar10", None).identity
    assert first == again
    assert (again.label, again.official) == (LABEL, False)
    assert again.fingerprint != open_cifar_sample("cifar100").identity.fingerprint


def test_the_parts_share_no_picture() -> None:
    train, test = ({image.tobytes() for image in draw(10, train=part).images_NHWC} for part in (True, False))
    assert len(train) == TRAIN
    assert not train & test


def test_a_worker_process_can_load_it() -> None:
    load = pickle.loads(pickle.dumps(DrawnPictures(classes=10, train=True)))
    assert load(3).tobytes() == open_cifar_sample("cifar10").train.load(3).tobytes()


def test_the_classes_can_be_told_apart() -> None:
    """Nearest mean picture, a classifier of no skill, is far above the 10 % of guessing."""
    train, test = draw(10, train=True), draw(10, train=False)
    pixels, labels = train.images_NHWC.reshape(TRAIN, -1).astype(float), np.array(train.labels)
    means = np.stack([pixels[labels == number].mean(0) for number in range(10)])
    asked = test.images_NHWC.reshape(TEST, -1).astype(float)
    found = ((asked[:, None] - means[None]) ** 2).sum(-1).argmin(1)
    assert (found == np.array(test.labels)).mean() > 0.5
