"""Published weights: fetched once when asked, checked, and never half."""

import errno
import hashlib
import io
import os
import shutil
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import torch
from torchvision import models

from ssd.checkpoints import downloads, fetch_torchvision, fetched_file, read_torchvision, start_backbone
from ssd.errors import CheckpointError, ConfigError, ResourceError
from ssd.model_presets import model_preset
from ssd.models.network import build_model
from ssd.models.published import PublishedWeights
from ssd.models.torchvision_ssd import TorchvisionSSD, torchvision_config
from tests.small_models import FORBIDDEN

NAME = "ssdlite320_mobilenet_v3_large"
CONTENT = bytes(range(256)) * 4000  # just under one MB


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ssd-explorer"


@pytest.fixture
def server():
    """A server on this machine; ``answer`` is what it sends, ``said`` the length it announces."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked += 1
            self.send_response(self.server.status)
            self.send_header("Content-Length", str(self.server.said or len(self.server.answer)))
            self.end_headers()
            self.wfile.write(self.server.answer)

        def log_message(self, *words):
            """Says nothing: each request would be a line on the error stream of the tests."""

    class Server(HTTPServer):
        def handle_error(self, request, address):
            """A client that hangs up is what some tests are about."""

    with Server(("127.0.0.1", 0), Handler) as found:
        found.answer, found.status, found.said, found.asked = CONTENT, 200, None, 0
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


@pytest.fixture
def published(server, monkeypatch):
    start = hashlib.sha256(CONTENT).hexdigest()[:8]
    address = f"http://127.0.0.1:{server.server_port}/weights-{start}.pth"
    found = PublishedWeights(address, f"weights-{start}.pth", start, 1.0)
    monkeypatch.setattr(downloads, "published_weights", lambda name: found)
    return found


def test_the_file_arrives_whole_with_its_checksum_and_only_once(server, published, cache):
    seen = []

    path = fetch_torchvision(NAME, progress=lambda arrived, total: seen.append((arrived, total)))

    assert path == cache / published.file_name
    assert path.read_bytes() == CONTENT
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert path.with_name(path.name + ".sha256").read_text().split()[0] == digest
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert seen == sorted(seen)
    assert fetch_torchvision(NAME) == path == fetched_file(NAME)
    assert server.asked == 1
    assert sorted(os.listdir(cache)) == [path.name, path.name + ".sha256"]


@pytest.mark.parametrize("answer", [CONTENT[:-1] + b"x", CONTENT[:-7], b"<html>Sign in</html>"])
def test_what_is_not_the_file_is_not_kept(server, published, cache, answer):
    server.answer = answer

    with pytest.raises(ResourceError, match=f"starts with {published.sha256_start}, got"):
        fetch_torchvision(NAME)
    assert os.listdir(cache) == []
    assert fetched_file(NAME) is None


def test_a_connection_that_breaks_leaves_nothing(server, published, cache):
    server.answer, server.said = CONTENT[:1000], len(CONTENT)

    with pytest.raises(ResourceError):
        fetch_torchvision(NAME)
    assert os.listdir(cache) == []


def test_a_file_that_does_not_end_is_stopped(server, published, cache):
    server.answer = CONTENT + CONTENT

    with pytest.raises(ResourceError, match="must have about 1 MB, more arrived"):
        fetch_torchvision(NAME)
    assert os.listdir(cache) == []


def test_a_server_that_says_no_is_told(server, published):
    server.status = 503

    with pytest.raises(ResourceError, match="the server answered 503"):
        fetch_torchvision(NAME)


def test_a_full_disk_is_told(server, published, cache, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ResourceError, match="No space left on device; free some space"):
        fetch_torchvision(NAME)
    assert os.listdir(cache) == []


@pytest.mark.parametrize("name", ["ssd300_vgg16", NAME, "resnet34", "vgg16_features"])
def test_offline_a_sentence_says_so(offline, name, cache):
    with pytest.raises(ResourceError, match="go online, or use a shipped model") as caught:
        fetch_torchvision(name)
    assert caught.value.exit_code == 6
    assert not FORBIDDEN.search(str(caught.value))
    assert os.listdir(cache) == []


def test_another_name_is_refused():
    with pytest.raises(ConfigError):
        fetch_torchvision("../ssd300_vgg16")


def test_weights_that_were_not_fetched_are_not_fetched_unasked():
    with pytest.raises(CheckpointError, match="fetch them with"):
        read_torchvision(NAME)


@pytest.mark.slow
def test_a_state_dict_of_torchvision_loads(tmp_path):
    model = TorchvisionSSD(torchvision_config(NAME))
    torch.save(model.network.state_dict(), tmp_path / "lite.pth")

    loaded = read_torchvision(NAME, tmp_path / "lite.pth")

    for name, value in model.network.state_dict().items():
        assert torch.equal(loaded.model.network.state_dict()[name], value), name
    assert loaded.sha256 == hashlib.sha256((tmp_path / "lite.pth").read_bytes()).hexdigest()
    assert "not verified" in loaded.notes[0]


@pytest.mark.slow
def test_a_state_dict_of_the_other_model_is_refused(tmp_path):
    torch.save(TorchvisionSSD(torchvision_config(NAME)).network.state_dict(), tmp_path / "lite.pth")

    with pytest.raises(CheckpointError, match="must hold exactly the tensors"):
        read_torchvision("ssd300_vgg16", tmp_path / "lite.pth")


@pytest.mark.slow
def test_a_backbone_starts_from_the_file_that_arrives(server, cache, monkeypatch):
    buffer = io.BytesIO()
    torch.save(models.resnet18(weights=None).state_dict(), buffer)
    server.answer = buffer.getvalue()
    start = hashlib.sha256(server.answer).hexdigest()[:8]
    address = f"http://127.0.0.1:{server.server_port}/resnet18-{start}.pth"
    found = PublishedWeights(address, f"resnet18-{start}.pth", start, 45.0)
    monkeypatch.setattr(downloads, "published_weights", lambda name: found)
    model = build_model(replace(model_preset("ssd-4x4", ("cat",)), backbone="resnet18"))

    first, again = start_backbone(model), start_backbone(model)

    assert first == again and first.pretrained
    assert server.asked == 1
    assert sorted(os.listdir(cache)) == [found.file_name, found.file_name + ".sha256"]


def test_a_fetched_file_that_was_damaged_later_is_noticed(server, published, cache):
    path = fetch_torchvision(NAME)
    shutil.copy(path, cache / "copy")
    path.write_bytes(CONTENT[:-1] + b"y")

    with pytest.raises(CheckpointError, match="damaged"):
        read_torchvision(NAME)
