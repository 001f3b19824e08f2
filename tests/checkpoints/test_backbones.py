"""A backbone starts from ImageNet where that can be had, from scratch otherwise, and says which."""

import shutil

import pytest
import torch
from torchvision import models

from ssd.checkpoints import start_backbone
from ssd.checkpoints.backbones import load_backbone
from ssd.errors import CheckpointError, ConfigError
from ssd.model_presets import model_preset
from ssd.models.network import build_model
from ssd.models.published import published_weights
from tests.small_models import FORBIDDEN

RANDOM = torch.Generator().manual_seed(0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "ssd-explorer"
    folder.mkdir()
    return folder


def network(name="ssd-4x4", **changes):
    from dataclasses import replace

    return build_model(replace(model_preset(name, ("cat", "dog")), **changes))


def test_offline_it_starts_from_scratch_and_says_so(offline):
    model = network(backbone="resnet18")
    before = {name: value.clone() for name, value in model.state_dict().items()}

    start = start_backbone(model)

    assert not start.pretrained
    assert start.sentence.startswith("The backbone resnet18 starts from scratch.")
    assert "go online" in start.sentence
    assert not FORBIDDEN.search(start.sentence)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_unasked_nothing_is_fetched():
    start = start_backbone(network(backbone="resnet18"), fetch=False)

    assert not start.pretrained
    assert "(45 MB) are not on this machine; `python -m ssd fetch resnet18`" in start.sentence


@pytest.mark.parametrize("name", ["ssd-small", "torchvision-ssdlite320"])
def test_a_backbone_without_published_weights_starts_from_scratch(name):
    start = start_backbone(network(name))

    assert not start.pretrained
    assert f"{name} starts from scratch" in start.sentence


@pytest.mark.slow
def test_a_fetched_file_gives_every_layer_of_the_backbone(cache):
    torch.manual_seed(1)
    theirs = models.resnet18(weights=None).eval()
    torch.save(theirs.state_dict(), cache / published_weights("resnet18").file_name)
    model = network(backbone="resnet18").eval()

    start = start_backbone(model)

    assert start == type(start)(True, "The backbone resnet18 starts from ImageNet: 120 tensors.")
    picture = torch.rand(1, 3, 96, 160, generator=RANDOM)
    x = theirs.maxpool(theirs.relu(theirs.bn1(theirs.conv1(picture))))
    wanted = theirs.layer4(theirs.layer3(theirs.layer2(theirs.layer1(x))))
    torch.testing.assert_close(model.backbone.trunk(picture)[-1], wanted)


def classifier(name):
    """torchvision's classifier up to its pooling, without the 124 million weights behind VGG's."""
    if name != "vgg16":
        network = getattr(models, name)(weights=None)
        network.fc = network.classifier = network.avgpool = torch.nn.Identity()
        return network.eval()
    return torch.nn.ModuleDict({"features": models.vgg.make_layers(models.vgg.cfgs["D"])})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet34", "resnet50", "mobilenet_v3_large", "vgg16"])
def test_every_backbone_gives_the_last_map_of_torchvisions_classifier(name):
    torch.manual_seed(2)
    theirs = classifier(name)
    model = network("largest-class", backbone=name).eval()

    load_backbone(model, theirs.state_dict(), name="drawn")

    picture = torch.rand(1, 3, 128, 96, generator=RANDOM)
    wanted = theirs["features"](picture) if name == "vgg16" else theirs(picture)
    torch.testing.assert_close(model.backbone.trunk(picture)[-1].flatten(1), wanted.flatten(1))


@pytest.mark.slow
def test_ssd300_takes_the_thirteen_convolutions_of_vgg16():
    torch.manual_seed(3)
    theirs = classifier("vgg16")
    theirs["features"][16].ceil_mode = True  # pool3 of SSD300 rounds up
    model = network("ssd300-vgg16").eval()

    kept = load_backbone(model, theirs.state_dict(), name="drawn")

    picture = torch.rand(1, 3, 52, 68, generator=RANDOM)
    wanted = theirs["features"][:30](picture)
    torch.testing.assert_close(model.backbone.to_conv5_3(model.backbone.to_conv4_3(picture)), wanted)
    assert len(kept.kept) == 26
    assert {name.split(".")[0] for name in kept.new} == {"norm4_3", "to_fc7", "extra"}


def test_old_files_without_batch_counters_load():
    state = {k: v for k, v in models.resnet18().state_dict().items() if not k.endswith("batches_tracked")}

    kept = load_backbone(network(backbone="resnet18"), state, name="old")

    assert all(name.endswith("num_batches_tracked") for name in kept.new)


def test_the_weights_of_another_backbone_are_refused():
    with pytest.raises(
        CheckpointError, match=r"must hold the layers of resnet34, but \d+ are missing"
    ) as caught:
        load_backbone(network(), models.resnet18().state_dict(), name="other.pth")
    assert not FORBIDDEN.search(str(caught.value))


def test_a_damaged_file_on_this_machine_is_said_not_passed_over(cache):
    path = cache / published_weights("resnet18").file_name
    torch.save(models.resnet18().state_dict(), path)
    shutil.copyfile(path, cache / "whole")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(CheckpointError, match="cut off"):
        start_backbone(network(backbone="resnet18"))


def test_a_module_without_configuration_is_refused():
    with pytest.raises(ConfigError, match="must carry its configuration"):
        start_backbone(torch.nn.Linear(1, 1))


def test_every_published_backbone_has_an_address_a_size_and_a_checksum():
    for name in ("resnet18", "resnet34", "resnet50", "mobilenet_v3_large", "vgg16", "vgg16_features"):
        published = published_weights(name)

        assert published.address.startswith("https://"), name
        assert len(published.sha256_start) == 8 and int(published.sha256_start, 16), name
        assert published.size_mb > 20, name
