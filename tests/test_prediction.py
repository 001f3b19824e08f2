"""Prediction: the network once, selection often; a picture's boxes come back in its own units."""

import pytest
import torch

from ssd.coding import decode
from ssd.config import SelectionConfig
from ssd.data.transforms import evaluation_input
from ssd.detections import select
from ssd.models.network import RawPredictions
from ssd.prediction import Predictor
from tests.small_models import small_model


def make_picture(*, width=120, height=70):
    generator = torch.Generator().manual_seed(4)
    return torch.randint(0, 256, (3, height, width), dtype=torch.uint8, generator=generator)


@pytest.fixture(scope="module")
def predictor():
    return Predictor(small_model(), sha256="abc")


class Fixed(torch.nn.Module):
    """A network whose answer is set by the test."""

    def __init__(self, model, codes, logits):
        super().__init__()
        self.config, self.anchors = model.config, model.anchors
        self.dummy = torch.nn.Parameter(torch.zeros(1))
        self.answer = RawPredictions(codes=codes, logits=logits, activation="softmax")
        self.runs = 0

    def forward(self, pictures):
        self.runs += 1
        self.seen = pictures
        return self.answer


def fixed():
    model = small_model()
    size = len(model.anchors)
    return Fixed(model, torch.zeros(1, size, 4), torch.zeros(1, size, 3))


def test_the_output_is_the_networks_decoded_and_scored(predictor):
    picture, contract = make_picture(), predictor.config.contract

    output = predictor.predict(picture)

    ready = evaluation_input(
        picture, size_wh=contract.size_wh, mean=contract.mean, std=contract.std, resize=contract.resize
    )
    with torch.no_grad():
        raw = predictor.model(ready[None])
    assert len(output.boxes) == len(predictor.anchors) == 400
    torch.testing.assert_close(output.codes, raw.codes[0])
    torch.testing.assert_close(output.logits, raw.logits[0])
    torch.testing.assert_close(output.scores, raw.logits[0].softmax(dim=1)[:, 1:])
    wanted = decode(raw.codes[0], predictor.anchors, coder=predictor.config.coder)
    torch.testing.assert_close(output.boxes, wanted)
    assert output.boxes.dtype == torch.float32
    assert not output.boxes.requires_grad


def test_codes_of_zero_are_the_anchors_themselves_also_on_a_wide_input():
    network = fixed()

    output = Predictor(network, sha256="").predict(make_picture())

    assert network.seen.shape == (1, 3, 64, 80)
    torch.testing.assert_close(output.boxes, network.anchors.boxes)
    torch.testing.assert_close(output.scores, torch.full((len(output.boxes), 2), 1 / 3))


def test_selection_does_not_run_the_network():
    network = fixed()
    predictor = Predictor(network, sha256="")
    output = predictor.predict(make_picture())

    for score in (0.1, 0.2, 0.3):
        predictor.select(output, SelectionConfig(score_threshold=score))

    assert network.runs == 1


def test_without_limits_those_of_the_model_hold(predictor):
    output = predictor.predict(make_picture())

    found = predictor.select(output)

    wanted = select(output.boxes, output.scores, config=predictor.config.selection)
    assert torch.equal(found.detections.scores, wanted.detections.scores)
    assert len(found.detections) > 10


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("part", ["codes", "logits"])
def test_what_is_not_finite_never_becomes_a_detection(part, bad):
    network = fixed()
    network.answer.logits[0, :, 1] = 5.0
    getattr(network.answer, part)[0, 7, 1] = bad
    predictor = Predictor(network, sha256="")

    output = predictor.predict(make_picture())

    assert output.num_not_finite == 1
    keep_all = SelectionConfig(score_threshold=0.0, nms_threshold=1.0, top_k=10**6, max_detections=10**6)
    found = predictor.select(output, keep_all)
    assert 7 not in found.anchors.tolist()
    assert set(found.anchors.tolist()) == set(range(len(output.boxes))) - {7}
    assert found.num_not_finite == 2  # both classes


def test_a_predictor_evaluates_also_where_training_went_on():
    model = small_model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    predictor = Predictor(model, sha256="")
    first, second = predictor.predict(make_picture()), predictor.predict(make_picture())

    assert torch.equal(first.logits, second.logits)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
