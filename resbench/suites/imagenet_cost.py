"""Parameters and operations of the ImageNet networks, counted: what the papers and torchvision print, and what they count."""

from resbench.specs import Arm, Kind, Profiling, Suite
from resbench.suites.published.he2015 import FLOPS, paper
from resbench.suites.published.imagenet_weights import TORCHVISION

_LABELS = {
    "resnet18_a": "ResNet-18, option A",
    "resnet34_a": "ResNet-34, option A",
    "resnet50_v1": "ResNet-50, stride on the 1x1",
    "resnet101_v1": "ResNet-101, stride on the 1x1",
    "resnet152_v1": "ResNet-152, stride on the 1x1",
    "plain18": "plain-18",
    "plain34": "plain-34",
    "vgg16": "VGG-16",
    "vgg19": "VGG-19",
}

SUITE = Suite(
    name="imagenet_cost",
    title="Parameters and operations of the ImageNet networks",
    question=(
        "What do networks of 18 to 152 layers cost, and is 3.6 or 3.8 or 4.1 billion the count of the network one has? "
        "Nothing is run: the counts follow from the layers."
    ),
    source=paper("Table 1 and Figure 3"),
    kind=Kind.COUNTED,
    profiling=Profiling(batch_size=1, num_classes=1000, input_CHW=(3, 224, 224)),
    metric="macs",
    arms=(
        *(
            Arm(model=model, label=label, published=(FLOPS[model],) if model in FLOPS else ())
            for model, label in _LABELS.items()
        ),
        *(
            Arm(
                model=model,
                label=f"ResNet-{model.removeprefix('resnet')}, torchvision's",
                published=weights.costs,
            )
            for (model, version), weights in TORCHVISION.items()
            if version == "V1"
        ),
    ),
)
