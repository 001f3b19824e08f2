"""Raw outputs of a whole data set: the network once for each picture, thresholds as often as wanted."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import UInt8
from torch import Tensor

from ssd.config import SelectionConfig
from ssd.data.folders import DataSet
from ssd.data.images import shown_name
from ssd.data.records import Target
from ssd.detections import Detections, Selection, select, standing
from ssd.errors import ConfigError
from ssd.evaluation.cache import (
    SCORE_FLOOR,
    CachedPicture,
    CacheError,
    Candidates,
    cached_path,
    make_room,
    read_cached,
    write_cached,
)
from ssd.evaluation.results import Pictures, picture_result
from ssd.metrics import PictureResult
from ssd.prediction import PictureOutput, Predictor
from ssd.ranking import Ranked, rank
from ssd.storage import cache_folder

__all__ = ["Progress", "RawOutputs", "raw_outputs"]

_Found = TypeVar("_Found")
Progress = Callable[[int, int], None]  # how many are done, of how many
_THREADS = 4  # pictures at a time; what they spend their time in lets go of the interpreter
_ROWS = 2_000_000  # ranked candidates in memory, 40 bytes each; who has more than its share is read again


class RawOutputs:
    """What a network says of every picture of a data set, kept in files.

    Little is held in memory: sizes, the best candidates of each picture up to 80 MB, and where
    the pictures are generated their names and objects. A file that has been damaged or replaced
    in the meantime is computed again.

    Attributes:
        predictor: the detector.
        data: the pictures.
        folder: where the files lie.
        floor: selections at a score threshold of at least this read the few candidates only.
    """

    def __init__(self, predictor: Predictor, data: Pictures, *, folder: Path, floor: float) -> None:
        """An empty one; :func:`raw_outputs` fills it."""
        self.predictor, self.data, self.folder, self.floor = predictor, data, folder, floor
        self._pictures: list[str] = []
        self._sizes: list[tuple[int, int]] = []
        self._drawn: list[tuple[str, Target]] = []  # of pictures that come from no files
        self._ranked: dict[int, tuple[tuple[float, int, int], Ranked]] = {}  # for these limits

    def __len__(self) -> int:
        """How many pictures."""
        return len(self._pictures)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Of labels 1..C."""
        return self.predictor.config.class_names

    def output(self, index: int) -> PictureOutput:
        """All that the network says about a picture.

        Args:
            index: place of the picture in the data set.

        Returns:
            Exactly what the predictor gave, in no time.
        """
        try:
            codes, logits = self._cached(index).raw()
        except CacheError:
            codes, logits = self._again(index).raw()
        return self.predictor.output(codes, logits)

    def candidates(self, index: int) -> Candidates:
        """The few rows of an output above the floor.

        Args:
            index: place of the picture in the data set.

        Returns:
            What a selection at a score threshold of at least ``floor`` can take anything from.
        """
        try:
            return self._cached(index).candidates()
        except CacheError:
            return self._again(index).candidates()

    def target(self, index: int) -> Target:
        """The objects of a picture.

        Args:
            index: its place in the data set.

        Returns:
            Boxes in [0, 1], labels in the detector's order.
        """
        return self.data.target(index) if isinstance(self.data, DataSet) else self._drawn[index][1]

    def name(self, index: int) -> str:
        """What a picture is called.

        Args:
            index: its place in the data set.

        Returns:
            The file's stem, or the scene's name.
        """
        if isinstance(self.data, DataSet):
            return self.data.names[index]
        return self._drawn[index][0]

    def image_id(self, index: int) -> int | str:
        """How results files call a picture.

        Args:
            index: its place in the data set.

        Returns:
            COCO's id where there is one, else the file's name.
        """
        if not isinstance(self.data, DataSet):
            return self._drawn[index][0]
        entry = self.data.entries[index]
        if entry.image_id is not None:
            return entry.image_id
        return entry.name if entry.picture is None else entry.picture.name

    def size_px(self, index: int) -> tuple[int, int]:
        """Width and height of a picture.

        Args:
            index: its place in the data set.

        Returns:
            Pixels.
        """
        return self._sizes[index]

    def select(self, index: int, config: SelectionConfig | None = None) -> Selection:
        """The whole selection of a picture, with the fate of every candidate.

        Args:
            index: its place in the data set.
            config: limits; ``None``: those of the detector.

        Returns:
            What the predictor's ``select`` gives.
        """
        return self.predictor.select(self.output(index), config)

    def result(self, index: int, config: SelectionConfig | None = None) -> PictureResult:
        """Detections beside the objects of a picture.

        Args:
            index: its place in the data set.
            config: limits; ``None``: those of the detector.

        Returns:
            The same detections as :meth:`select`, from the few candidates where they suffice.
        """
        config = self.predictor.config.selection if config is None else config
        said = self._softened(index, config) if config.nms_kind == "soft" else self._standing(index, config)
        return picture_result(self.target(index), said, size_px=self.size_px(index))

    def _softened(self, index: int, config: SelectionConfig) -> Detections:
        """Those whom soft-NMS leaves."""
        boxes, scores, anchors = self._asked(index, config)
        found = select(boxes, scores, config=config).detections
        return replace(found, anchors=anchors[found.anchors])

    def _standing(self, index: int, config: SelectionConfig) -> Detections:
        """Those whom hard NMS leaves; the order in which it asks is kept for another threshold."""
        limits = (config.score_threshold, config.top_k, config.max_detections)
        known, ranked = self._ranked.get(index, (None, None))
        if ranked is None or known != limits:
            ranked = self._rank(index, config, ahead=True)
        said = standing(ranked, config=config)
        if not ranked.suffices(len(said), config=config):
            ranked = self._rank(index, config, ahead=False)
            said = standing(ranked, config=config)
        if len(ranked) <= _ROWS // len(self):
            self._ranked[index] = (limits, ranked)
        return said

    def _rank(self, index: int, config: SelectionConfig, *, ahead: bool) -> Ranked:
        """The candidates of a picture, best first."""
        boxes, scores, anchors = self._asked(index, config)
        ranked = rank(boxes, scores, config=config, ahead=ahead)
        return replace(ranked, anchors=anchors[ranked.anchors])

    def _asked(self, index: int, config: SelectionConfig) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes, scores and anchors: the few rows of the file where they suffice, else all."""
        if config.score_threshold < self.floor:
            output = self.output(index)
            return output.boxes, output.scores, torch.arange(len(output.boxes))
        few = self.candidates(index)
        return few.boxes, few.scores, few.anchors.long()

    def results(
        self, config: SelectionConfig | None = None, progress: Progress | None = None
    ) -> list[PictureResult]:
        """Detections beside the objects of every picture; the network does not run.

        Args:
            config: limits; ``None``: those of the detector.
            progress: told after each picture how many are done, of how many.

        Returns:
            One result for each picture, in order. For another, higher score threshold ask
            :func:`ssd.metrics.above` instead of selecting again.
        """
        return self.each(partial(self.result, config=config), progress)

    def each(self, work: Callable[[int], _Found], progress: Progress | None = None) -> list[_Found]:
        """What some work gives for every picture, a few pictures at a time.

        Args:
            work: takes the place of a picture; pure, for several run at once.
            progress: told after each picture how many are done, of how many.

        Returns:
            Its answers, in order.
        """
        found = []
        with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
            for one in pool.map(work, range(len(self))):
                found.append(one)
                if progress is not None:
                    progress(len(found), len(self))
        return found

    def _path(self, picture: str) -> Path:
        """The file of a picture."""
        return cached_path(self.folder, weights=self.predictor.sha256, picture=picture)

    def _cached(self, index: int) -> CachedPicture:
        """The file of a picture that was added."""
        return read_cached(
            self._path(self._pictures[index]), weights=self.predictor.sha256, picture=self._pictures[index]
        )

    def _again(self, index: int) -> CachedPicture:
        """The network runs on a picture, and its file is written anew."""
        sample = self.data.sample(index)
        picture = self._pictures[index]
        height, width = sample.picture.shape[1:]
        write_cached(
            self._path(picture),
            self.predictor.predict(sample.picture),
            weights=self.predictor.sha256,
            picture=picture,
            size_px=(width, height),
            floor=self.floor,
        )
        return self._cached(index)

    def _add(self) -> None:
        """Take the next picture: from its file, or from the network where that is not there."""
        index = len(self)
        if isinstance(self.data, DataSet):
            self._pictures.append(hashlib.sha256(self.data.picture_bytes(index)).hexdigest())
        else:
            sample = self.data.sample(index)
            self._pictures.append(_digest(sample.picture))
            self._drawn.append((sample.name, sample.target))
        cached = None
        with suppress(CacheError):
            cached = self._cached(index)
        if cached is None or not self._fits(cached, index):
            cached = self._again(index)
        self._sizes.append((cached.header.width, cached.header.height))

    def _fits(self, cached: CachedPicture, index: int) -> bool:
        """Whether a file is as this detector writes it, and the annotation says the picture's size."""
        head = cached.header
        ours = (head.floor, head.anchors) == (self.floor, len(self.predictor.anchors))
        if not isinstance(self.data, DataSet):
            return ours
        annotation = self.data.entries[index].annotation
        return ours and (annotation.width, annotation.height) == (head.width, head.height)


def raw_outputs(
    predictor: Predictor, data: Pictures, *, cache: Path | None, progress: Progress | None = None
) -> RawOutputs:
    """Run a network over a data set, or take from files what it said before.

    A file belongs to weights and to a picture (both by SHA-256), not to a data set: another
    split, or a picture more, costs nothing for the pictures that are known. A file that is
    damaged or another's is computed again. Every file is written whole or not at all, so the
    work can be stopped at any time and goes on where it was. Where the files of other weights
    take more than 8 GB, those that were asked for longest ago are removed.

    Args:
        predictor: the detector.
        data: a data set whose labels follow the detector's class names, or a generator.
        cache: folder of the files; ``None``: in the user's cache. Never in the data set.
        progress: told after each picture how many are done, of how many.

    Returns:
        The outputs.

    Raises:
        ConfigError: the cache lies in the data set, or the weights have no id.
        DataError: a picture cannot be read.
        ResourceError: a file could not be written.
    """
    folder = (cache_folder() if cache is None else cache) / "raw"
    if not predictor.sha256:
        raise ConfigError("Raw outputs are kept by the id of the weights, got none; read them from a file.")
    if isinstance(data, DataSet) and folder.resolve().is_relative_to(data.root.resolve()):
        raise ConfigError(
            f"The cache may not lie in the data set {shown_name(data.root.name)}; choose another --cache."
        )
    floor = min(SCORE_FLOOR, predictor.config.selection.score_threshold)
    make_room(folder, weights=predictor.sha256)
    raw = RawOutputs(predictor, data, folder=folder, floor=floor)
    for index in range(len(data)):
        raw._add()
        if progress is not None:
            progress(index + 1, len(data))
    return raw


def _digest(picture: UInt8[Tensor, "3 h w"]) -> str:
    """SHA-256 of the shape and the pixels of a picture that has no file."""
    digest = hashlib.sha256(repr(tuple(picture.shape)).encode())
    digest.update(picture.contiguous().to(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
