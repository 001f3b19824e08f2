"""torchvision's detectors behind our face say what they say behind their own."""

import pytest
import torch
from torchvision.models import detection

from ssd.checkpoints import load_exactly
from ssd.contract import ModelConfig
from ssd.errors import ConfigError
from ssd.models.network import build_model
from ssd.models.published import TORCHVISION_NAMES, published_weights
from ssd.models.torchvision_ssd import TorchvisionSSD, torchvision_config
from ssd.prediction import Predictor
from tests.small_models import lively_torchvision

WIDTH, HEIGHT = 500, 353


def make_picture() -> torch.Tensor:
    """Blocks of colour with noise, wider than high."""
    generator = torch.Generator().manual_seed(5)
    blocks = torch.rand(1, 3, 5, 7, generator=generator)
    smooth = torch.nn.functional.interpolate(blocks, size=(HEIGHT, WIDTH), mode="bicubic")[0]
    noise = torch.randn(3, HEIGHT, WIDTH, generator=generator) * 0.1
    return ((smooth + noise).clamp(0, 1) * 255).to(torch.uint8)


@pytest.fixture(scope="module", params=TORCHVISION_NAMES)
def both(request):
    theirs = lively_torchvision(request.param, make_picture())
    ours = TorchvisionSSD(torchvision_config(request.param))
    load_exactly(ours.network, theirs.state_dict(), name="drawn")
    return theirs, Predictor(ours, sha256="none")


@pytest.mark.slow
def test_raw_outputs_boxes_and_detections_are_torchvisions(both):
    theirs, predictor = both
    picture = make_picture()
    seen = {}
    theirs.head.register_forward_hook(lambda module, given, answer: seen.update(answer))
    with torch.no_grad():
        images, _ = theirs.transform([picture / 255])
        (wanted,) = theirs([picture / 255])
        (anchors_px,) = theirs.anchor_generator(images, list(theirs.backbone(images.tensors).values()))

    output = predictor.predict(picture)
    found = predictor.select(output).detections

    assert 1.5 < seen["cls_logits"].std() < 2.5
    torch.testing.assert_close(output.logits, seen["cls_logits"][0], atol=1e-4, rtol=0)
    torch.testing.assert_close(output.codes, seen["bbox_regression"][0], atol=1e-4, rtol=0)
    side = torch.tensor(predictor.config.contract.size_wh * 2, dtype=torch.float32)
    theirs_boxes = theirs.box_coder.decode_single(seen["bbox_regression"][0], anchors_px) / side
    torch.testing.assert_close(predictor.anchors.boxes, anchors_px / side, atol=1e-6, rtol=0)
    torch.testing.assert_close(output.boxes, theirs_boxes, atol=1e-4, rtol=0)
    assert len(found) == len(wanted["scores"]) > 50
    assert same_set(found, wanted, torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT]))


def same_set(found, wanted, to_px):
    """Each detection of one has a twin in the other: class, score, box to 1e-4 of the picture."""
    same = found.labels[:, None] == wanted["labels"]
    same &= (found.scores[:, None] - wanted["scores"]).abs() < 1e-4
    same &= ((found.boxes[:, None] - wanted["boxes"] / to_px).abs() < 1e-4).all(dim=2)
    return bool(same.any(dim=0).all() and same.any(dim=1).all())


@pytest.mark.parametrize("name", TORCHVISION_NAMES)
def test_labels_are_coco_ids(name):
    config = torchvision_config(name)

    named = {config.class_names[k]: config.ids[k] for k in range(90)}
    assert (named["person"], named["dog"], named["toothbrush"]) == (1, 18, 90)
    assert sum(text.startswith("unused") for text in config.class_names) == 10
    assert named["unused 12"] == 12


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHVISION_NAMES)
def test_the_input_contract_and_thresholds_are_read_off_torchvision(name):
    theirs = getattr(detection, name)(weights=None, weights_backbone=None, num_classes=91)

    config = torchvision_config(name)

    assert config.contract.size_wh == tuple(theirs.transform.fixed_size)
    assert config.contract.mean == tuple(theirs.transform.image_mean)
    assert config.contract.std == tuple(theirs.transform.image_std)
    chosen = config.selection
    assert (chosen.score_threshold, chosen.nms_threshold) == (theirs.score_thresh, theirs.nms_thresh)
    assert (chosen.top_k, chosen.max_detections) == (theirs.topk_candidates, theirs.detections_per_img)


def test_the_published_file_says_where_it_is_and_how_its_checksum_begins():
    published = published_weights("ssdlite320_mobilenet_v3_large")

    assert published.address.startswith("https://")
    assert published.address.endswith("ssdlite320_mobilenet_v3_large_coco-a79551df.pth")
    assert (published.sha256_start, published.size_mb) == ("a79551df", 13.418)


def test_another_name_and_other_anchors_are_refused():
    from dataclasses import replace

    from ssd.config import anchor_preset

    with pytest.raises(ConfigError, match="one of ssd300_vgg16"):
        torchvision_config("ssd300_vgg19")
    strange = replace(torchvision_config("ssd300_vgg16"), anchors=anchor_preset("ssd300-voc").anchors)
    with pytest.raises(ConfigError, match="anchors of ssd300-coco"):
        build_model(strange)


def test_a_model_of_three_classes_has_four_logits():
    config = torchvision_config("ssdlite320_mobilenet_v3_large")
    small = ModelConfig(
        config.architecture, ("red", "white", "platelet"), config.anchors, config.contract,
        selection=config.selection,
    )  # fmt: skip

    with torch.no_grad():
        raw = build_model(small).eval()(torch.zeros(1, 3, 320, 320))

    assert raw.logits.shape == (1, 3234, 4)
