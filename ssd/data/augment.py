"""Augmentation for training: the picture changes and its boxes move along.

The changes of pixels are torchvision's; every random choice comes from one seed, so a
sample does not depend on which worker made it or when.
"""

from __future__ import annotations

from dataclasses import replace

from ssd.data.augment_colours import change_colours, colour_change
from ssd.data.augment_config import AUGMENT_PRESETS, AugmentConfig, calm
from ssd.data.augment_crop import jaccard_crop
from ssd.data.augment_mixing import Draw, Others, mixup, mosaic, paste
from ssd.data.augment_report import AugmentationReport, Followed, ObjectFate, follow, report
from ssd.data.augment_views import View, mirror, render, rotate, start, turn, zoom_out
from ssd.data.records import Sample
from ssd.errors import ConfigError

__all__ = [
    "AUGMENT_PRESETS",
    "AugmentConfig",
    "Augmentation",
    "AugmentationReport",
    "ObjectFate",
    "Others",
    "calm",
]


class Augmentation:
    """Samples of any size → samples of training size, changed at random.

    Args:
        config: which changes, and how often.
        size_wh: training size in pixels.
        colours: whether colours change here; where a batch's colours change later, on its
            device (:func:`ssd.data.augment_colours.change_colours`), they do not.

    Source:
        Liu et al., SSD, ECCV 2016, section 2.2 ("Data augmentation") and 3.6 (zoom out).

    Example:
        >>> from ssd.data.synthetic import synthetic_scene
        >>> change = Augmentation(AugmentConfig(flip=1.0), size_wh=(64, 48))
        >>> change(synthetic_scene(0), seed=0).picture.shape
        torch.Size([3, 48, 64])
        >>> change.explain(synthetic_scene(0), seed=0).applied
        ('mirrored left to right',)
    """

    def __init__(self, config: AugmentConfig, *, size_wh: tuple[int, int], colours: bool = True) -> None:
        import torchvision.transforms.v2  # noqa: F401 - seconds, once: worker processes inherit it

        self.config = config
        self.size_wh = size_wh
        self.colours = colours

    def __call__(self, sample: Sample, *, seed: int, others: Others | None = None) -> Sample:
        """One changed copy of a sample.

        Args:
            sample: a picture and its objects.
            seed: the same seed gives the same change.
            others: any whole number → another sample of the data; mosaic, mixup and
                pasting need it.

        Returns:
            A sample of training size. Objects that left the picture or are too small are
            left out; those of which too little is left are ignored.

        Raises:
            ConfigError: another sample is needed, and ``others`` is missing.
        """
        changed = self._change(sample, seed=seed, others=others)
        return Sample(changed.picture, changed.survivors, sample.name)

    def explain(self, sample: Sample, *, seed: int, others: Others | None = None) -> AugmentationReport:
        """The same change with its reasons.

        Args:
            sample: as in a call.
            seed: as in a call.
            others: as in a call.

        Returns:
            The sample that a call gives, what was applied, and what became of each object.

        Raises:
            ConfigError: as in a call.
        """
        changed = self._change(sample, seed=seed, others=others)
        return report(changed, name=sample.name, count=len(sample.target))

    def _change(self, sample: Sample, *, seed: int, others: Others | None) -> Followed:
        """Everything: geometry, then other pictures, then colours."""
        if self.config.mixes and others is None:
            raise ConfigError("Mosaic, mixup and paste need other samples, got none; pass others.")
        draw = Draw(seed)
        changed = self._placed(sample, draw, others)
        if others is not None and draw.chance(self.config.mixup):
            changed = mixup(changed, self._placed(draw.other(others), draw, others), draw=draw)
        if not self.colours:
            return changed
        colours = colour_change(self.config, seed=seed)
        picture = change_colours(changed.picture[None], [colours])[0]
        return replace(changed, picture=picture, applied=(*changed.applied, *colours.words))

    def _placed(self, sample: Sample, draw: Draw, others: Others | None) -> Followed:
        """One sample at training size, alone or as a tile of a mosaic."""
        if others is not None and draw.chance(self.config.mosaic):
            samples = [sample, *(draw.other(others) for _ in range(3))]
            tiles = [self._viewed(each, draw, others) for each in samples]
            views = [(view, each.target) for view, each in tiles]
            return mosaic(views, config=self.config, size_wh=self.size_wh, draw=draw)
        view, pasted = self._viewed(sample, draw, others)
        rendered = render(view, size_wh=self.size_wh)
        return follow(rendered, pasted.target, config=self.config, size_wh=self.size_wh)

    def _viewed(self, sample: Sample, draw: Draw, others: Others | None) -> tuple[View, Sample]:
        """How one sample is seen, and the sample with the objects pasted into it."""
        config, count = self.config, len(sample.target)
        if others is not None and draw.chance(config.paste):
            sample = paste(sample, config=config, draw=draw, others=others)
        view = start(sample.picture)
        if len(sample.target) > count:
            view = replace(view, applied=(f"pasted {len(sample.target) - count} object(s)",))
        return self._seen(view, sample, draw), sample

    def _seen(self, view: View, sample: Sample, draw: Draw) -> View:
        """Flips, turns, rotation, zoom and crop."""
        config = self.config
        if draw.chance(config.flip):
            view = mirror(view)
        if draw.chance(config.upside_down):
            view = mirror(view, upside_down=True)
        if draw.chance(config.dihedral):
            which = draw.whole(8)
            view = turn(mirror(view) if which >= 4 else view, quarters=which % 4)
        if draw.chance(config.rotate):
            view = rotate(view, degrees=draw.between(-config.rotate_deg, config.rotate_deg))
        if draw.chance(config.zoom_out):
            factor = draw.between(1.0, config.zoom_out_max)
            view = zoom_out(view, factor=factor, left=draw.share(), top=draw.share())
        if draw.chance(config.crop):
            objects = sample.target.boxes[~sample.target.ignore]
            view = jaccard_crop(view, objects, generator=draw.generator)
        return view
