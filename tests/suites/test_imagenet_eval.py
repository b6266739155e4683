"""Figures of other weights stand beside an arm's, and are not judged as its own."""

from resbench.suites.imagenet_eval import SUITE
from resbench.suites.published.imagenet_weights import FB_TORCH, ONE_CROP_ERRORS


def test_torchvisions_weights_are_not_judged_by_what_others_trained() -> None:
    first = [arm for arm in SUITE.arms if arm.weights == "IMAGENET1K_V1"]
    theirs = [figure for arm in first for figure in arm.published if figure.source == FB_TORCH.source]
    assert len(theirs) == sum(len(found) for (_, who), found in ONE_CROP_ERRORS.items() if who == "fb") == 8
    assert all(figure.unlike == ("weights of fb.resnet.torch",) for figure in theirs)
    own = [figure for arm in first for figure in arm.published if figure.source != FB_TORCH.source]
    assert own
    assert not any(figure.unlike for figure in own)
