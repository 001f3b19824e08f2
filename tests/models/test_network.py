"""The networks: every preset runs forwards and backwards, rows are anchors, at any size of picture."""

from dataclasses import replace

import pytest
import torch

from ssd.anchors import make_anchors
from ssd.config import GridAnchors, SizeAnchors, anchor_preset
from ssd.contract import PICTURE_ARCHITECTURES, InputContract, ModelConfig
from ssd.errors import ConfigError
from ssd.model_presets import MODEL_PRESETS, model_preset
from ssd.models.network import RawPredictions, build_model, layer_groups
from tests.small_models import small_config, small_model

CLASSES = ("circle", "star", "cross")
SMALL = ("ssd-small",)
SAME = ("ssd-multi-focal",)  # the network of ssd-multi
QUICK = {  # the lesson's networks on our small backbone: the same heads, in a tenth of the time
    name: replace(model_preset(name, CLASSES), backbone="small")
    for name in MODEL_PRESETS
    if MODEL_PRESETS[name].config.contract.size_wh == (224, 224) and name not in SAME
}
QUICK |= {name: model_preset(name, CLASSES) for name in SMALL}
WHOLE = {name: model_preset(name, CLASSES) for name in MODEL_PRESETS if name not in (*SMALL, *SAME)}


def pictures_for(config, *, number=2):
    width, height = config.contract.size_wh
    return torch.randn(number, 3, height, width, generator=torch.Generator().manual_seed(4))


def runs_forwards_and_backwards(config):
    """Outputs of the right shape, finite, and a gradient for every parameter."""
    torch.manual_seed(0)
    model = build_model(config)
    number = 1 if "vgg16" in config.architecture else 2  # no batch norm needs a second

    outputs = model(pictures_for(config, number=number))

    if isinstance(outputs, RawPredictions):
        assert outputs.codes.shape == (number, len(model.anchors), 4)
        assert outputs.logits.shape == (number, len(model.anchors), config.num_logits)
        assert outputs.activation == config.activation
        assert outputs.scores().shape == (number, len(model.anchors), len(CLASSES))
    else:
        asked = config.architecture
        assert (outputs.box is None) == (asked in ("multilabel", "largest-class"))
        assert (outputs.logits is None) == (asked == "largest-box")
    tensors = [value for value in outputs if isinstance(value, torch.Tensor)]
    assert all(bool(value.isfinite().all()) for value in tensors)
    sum((value * torch.randn_like(value)).sum() for value in tensors).backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []
    assert_grouped(model)


def assert_grouped(model):
    """Every parameter belongs to exactly one of three groups."""
    groups = layer_groups(model)
    grouped = [id(parameter) for group in groups for parameter in group.parameters()]
    assert [group.name for group in groups] == ["early", "late", "head"]
    assert sorted(grouped) == sorted(id(parameter) for parameter in model.parameters())
    assert all(group.parameters() for group in groups)


@pytest.mark.parametrize("name", QUICK)
def test_a_small_network_runs_forwards_and_backwards(name):
    runs_forwards_and_backwards(QUICK[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_every_preset_runs_forwards_and_backwards(name):
    runs_forwards_and_backwards(WHOLE[name])


def test_the_wide_network_has_the_size_that_was_planned():
    model = build_model(model_preset("ssd-small-wide", ("bus", "car", "cat", "person", "train")))

    assert 5.3e6 < sum(p.numel() for p in model.parameters()) < 5.5e6


@pytest.mark.parametrize("name", ["ssd-4x4", "yolo-4x4", "ssd-multi"])
def test_the_lessons_classes_start_at_their_bias(name):
    config = QUICK[name]
    model = build_model(config).eval()

    with torch.no_grad():
        logits = model(pictures_for(config, number=1)).logits

    biases = [p for key, p in model.named_parameters() if key.endswith("logits.bias")]
    assert all(torch.equal(bias, torch.full_like(bias, config.class_bias)) for bias in biases)
    assert abs(float(logits.mean()) - config.class_bias) < 0.5


def test_a_class_bias_of_softmax_is_one_against_the_background():
    config = replace(small_config(*CLASSES), class_bias=-3.0)
    model = build_model(config).eval()

    with torch.no_grad():
        scores = model(torch.zeros(1, 3, 64, 80)).scores()

    assert abs(float(scores.sum(dim=-1).mean()) - 0.0474) < 0.01  # sigmoid(−3)


def heads_that_copy(model):
    """Logits become the middle of their cell's feature: what stands in the map stands in the row."""
    for head in model.heads:
        torch.nn.init.zeros_(head.logits.weight)
        torch.nn.init.zeros_(head.logits.bias)
        head.logits.weight.data[:, 0, 1, 1] = 1.0


WIDE = SizeAnchors(((5, 2),), (10.0,), (20.0,), ((2.0,),), (40, 16))


@pytest.mark.parametrize("anchors", [WIDE, GridAnchors((4,), (0.5, 1.0))], ids=["row by row", "lesson"])
def test_row_n_of_the_predictions_looks_at_the_cell_of_anchor_n(anchors):
    (level,) = anchors.levels()
    (columns, rows), stride = level.grid_wh, 8
    contract = InputContract(size_wh=(columns * stride, rows * stride))
    model = build_model(ModelConfig("ssd-small", CLASSES, anchors, contract)).eval()
    heads_that_copy(model)
    numbers = torch.arange(rows * columns, dtype=torch.float32).view(1, 1, rows, columns)
    feature = numbers.expand(1, model.heads[0].logits.in_channels, rows, columns)

    _, logits = model.heads[0](feature)

    own = make_anchors(anchors)
    assert torch.equal(logits[0, :, 0].detach(), (own.row * columns + own.column).to(torch.float32))


@pytest.mark.parametrize(
    "name", [name for name in QUICK if QUICK[name].architecture not in PICTURE_ARCHITECTURES]
)
def test_at_its_own_size_a_detector_has_its_own_anchors(name):
    config = QUICK[name]
    model = build_model(config)

    for keep in ("pixels", "shares"):
        assert torch.equal(model.anchors_at(config.contract.size_wh, keep=keep).boxes, model.anchors.boxes)


@pytest.mark.parametrize(
    "name",
    ["ssd-small", "ssd-multi", "yolo-4x4", pytest.param("torchvision-ssdlite320", marks=pytest.mark.slow)],
)
def test_at_another_size_there_is_an_anchor_for_every_row(name):
    model = build_model((QUICK | WHOLE)[name]).eval()

    for width, height in [(160, 160), (224, 128), (192, 256)]:
        with torch.no_grad():
            raw = model(torch.zeros(1, 3, height, width))

        assert raw.codes.shape[1] == raw.logits.shape[1] == len(model.anchors_at((width, height)))


def test_anchors_keep_their_pixels_or_their_share_of_the_picture():
    model = small_model()  # 80 × 64

    pixels, shares = (model.anchors_at((160, 96), keep=keep) for keep in ("pixels", "shares"))

    own, wide = torch.tensor([80.0, 64.0]), torch.tensor([160.0, 96.0])
    for level in (0, 1):
        first = int((model.anchors.level == level).nonzero()[0])
        there = int((pixels.level == level).nonzero()[0])
        size = model.anchors.cxcywh[first, 2:]
        torch.testing.assert_close(pixels.cxcywh[there, 2:] * wide, size * own)
        torch.testing.assert_close(shares.cxcywh[there, 2:], size)
    assert [level.grid_wh for level in pixels.levels] == [(20, 12), (10, 6)]
    torch.testing.assert_close(pixels.cxcywh[0, :2], torch.tensor([0.5 / 20, 0.5 / 12]))


def test_asking_for_anchors_leaves_batch_statistics_alone():
    model = small_model()
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    model.anchors_at((320, 96))

    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert model.training


@pytest.mark.slow
def test_a_picture_that_is_too_small_for_the_papers_network_is_said_so():
    model = build_model(model_preset("ssd300-vgg16", CLASSES))

    with pytest.raises(ConfigError, match="160 × 160 pixels is too small"):
        model.anchors_at((160, 160))


def test_anchors_of_another_grid_are_refused_with_both():
    config = replace(model_preset("ssd-small", CLASSES), anchors=anchor_preset("wide320").anchors)
    wrong = replace(config, contract=InputContract(size_wh=(320, 256)))

    with pytest.raises(ConfigError, match=r"feature maps are \[\(40, 32\), .* grids \[\(40, 40\)"):
        build_model(wrong)


def test_more_levels_than_the_backbone_has_are_refused():
    config = replace(model_preset("ssd300-resnet34", CLASSES), anchors=WIDE)

    with pytest.raises(ConfigError, match="at least 3"):
        build_model(config)
