"""Our SSD300 and torchvision's say the same with the same weights, whichever way these travel."""

import pytest
import torch

from ssd.checkpoints import load_exactly
from ssd.contract import InputContract
from ssd.data.transforms import evaluation_input
from ssd.errors import ConfigError
from ssd.model_presets import model_preset
from ssd.models.network import build_model
from ssd.models.vgg import VGG300, _Normalised, from_torchvision, to_torchvision
from tests.models.test_torchvision_ssd import make_picture
from tests.small_models import FORBIDDEN, lively_torchvision

CLASSES = tuple(f"class {k}" for k in range(1, 91))


@pytest.fixture(scope="module")
def theirs():
    return lively_torchvision("ssd300_vgg16", make_picture())


@pytest.fixture(scope="module")
def ours(theirs):
    model = build_model(model_preset("ssd300-vgg16", CLASSES)).eval()
    load_exactly(model, from_torchvision(theirs.state_dict()), name="drawn")
    return model


def raw_of(network, pictures):
    """torchvision's raw outputs for pictures that are already normalised."""
    answer = network.head(list(network.backbone(pictures).values()))
    return answer["bbox_regression"], answer["cls_logits"]


def normalised(contract: InputContract):
    """A photograph that is wider than high, as the network is given it."""
    return evaluation_input(
        make_picture(), size_wh=contract.size_wh, mean=contract.mean, std=contract.std, resize=contract.resize
    )[None]


@pytest.mark.slow
@pytest.mark.parametrize("size_wh", [(300, 300), (340, 276)], ids=["its own size", "wider than high"])
def test_torchvisions_weights_give_torchvisions_outputs(theirs, ours, size_wh):
    pictures = torch.nn.functional.interpolate(
        normalised(ours.config.contract), size=size_wh[::-1], mode="bilinear"
    )

    with torch.no_grad():
        raw = ours(pictures)
        codes, logits = raw_of(theirs, pictures)

    assert 1.5 < logits.std() < 2.5
    torch.testing.assert_close(raw.logits, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(raw.codes, codes, atol=1e-4, rtol=0)
    assert raw.codes.shape[1] == len(ours.anchors_at(size_wh))


@pytest.mark.slow
def test_our_weights_give_our_outputs_in_torchvisions_network(theirs, ours):
    from torchvision.models.detection import ssd300_vgg16

    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        state = {
            k: v * (1 + 0.1 * torch.randn(v.shape, generator=generator)) for k, v in ours.state_dict().items()
        }
    network = build_model(ours.config).eval()
    load_exactly(network, state, name="ours")
    other = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=91).eval()
    other.load_state_dict(to_torchvision(state), strict=True)
    pictures = normalised(ours.config.contract)

    with torch.no_grad():
        raw = network(pictures)
        codes, logits = raw_of(other, pictures)

    assert logits.std() > 1
    torch.testing.assert_close(raw.logits, logits, atol=1e-4, rtol=0)
    torch.testing.assert_close(raw.codes, codes, atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def names():
    """torchvision's names, each with a tensor that has a shape and no numbers."""
    from torchvision.models.detection import ssd300_vgg16

    with torch.device("meta"):
        return ssd300_vgg16(weights=None, weights_backbone=None, num_classes=91).state_dict()


def test_there_and_back_is_the_same_file(names):
    state = dict(names)

    back = to_torchvision(from_torchvision(state))

    assert set(back) == set(state) and len(back) == 71
    assert all(back[name] is state[name] for name in state)


def test_another_networks_tensors_are_refused(names):
    state = dict(names)

    with pytest.raises(ConfigError, match=r"lacks backbone\.scale_weight") as caught:
        from_torchvision({name: value for name, value in state.items() if name != "backbone.scale_weight"})
    assert not FORBIDDEN.search(str(caught.value))
    with pytest.raises(ConfigError, match="does not have strange"):
        from_torchvision({**state, "strange": torch.zeros(1)})
    with pytest.raises(ConfigError, match="our ssd300-vgg16"):
        to_torchvision(state)


def test_conv4_3_is_scaled_to_length_twenty():
    network = _Normalised(512)
    x = torch.randn(2, 512, 3, 5, generator=torch.Generator().manual_seed(2)) * 40

    torch.testing.assert_close(network(x).norm(dim=1), torch.full((2, 3, 5), 20.0))


def test_large_values_in_half_precision_stay_finite():
    network = _Normalised(512)
    x = torch.full((1, 512, 2, 2), 300.0)  # the sum of its squares is 46 million

    with torch.autocast("cpu", dtype=torch.float16):
        lengths = network(x.half()).float().norm(dim=1)

    torch.testing.assert_close(lengths, torch.full((1, 2, 2), 20.0), atol=0.05, rtol=0)


def test_the_paper_has_six_levels():
    with pytest.raises(ConfigError, match="has 6 levels"):
        VGG300(num_levels=4)
