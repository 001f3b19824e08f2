"""How far a training is: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssd.training.loop import StepReport

__all__ = ["StepsBar", "counted", "say"]

_LINE_EVERY = 50  # steps
_LINE_SECONDS = 30.0  # at the latest


def say(text: str) -> None:
    """Lines on stderr, once where several processes train together.

    Args:
        text: the lines.
    """
    if os.environ.get("LOCAL_RANK", "0") == "0":
        print(text, file=sys.stderr)


class StepsBar:
    """Tells each step on stderr, with pictures a second and the time that is left.

    Args:
        first: steps done before.
        steps: of the whole run.
    """

    def __init__(self, *, first: int, steps: int) -> None:
        from tqdm import tqdm

        tqdm.monitor_interval = 0  # no thread beside the training
        self.first, self.steps = first, steps
        self.told = time.monotonic()
        self.pictures, self.seconds = 0, 0.0
        self.bar: Any = tqdm(
            total=steps, initial=first, unit="step", file=sys.stderr, dynamic_ncols=True, disable=None
        )

    def close(self) -> None:
        """Leave the bar where it is."""
        self.bar.close()

    def tell(self, report: StepReport) -> None:
        """One more step.

        Args:
            report: of the step.
        """
        self.pictures += report.num_pictures
        self.seconds += report.seconds
        rate = self.pictures / max(self.seconds, 1e-9)
        parts = f"localisation {report.localisation:.3f}, confidence {report.confidence:.3f}"
        said = f"loss {report.loss:.3f} ({parts}), {rate:.1f} pictures/s"
        if not self.bar.disable:
            self.bar.set_postfix_str(said, refresh=False)
            self.bar.update()
        elif self._is_due(report.step):
            self.say(f"step {report.step} of {self.steps}: {said}, {self._left(report.step)} left")
        if report.validation is not None:
            self.say(_validation_words(report))

    def say(self, text: str) -> None:
        """A line of its own.

        Args:
            text: the line.
        """
        self.bar.write(text, file=sys.stderr)
        self.told = time.monotonic()

    def _is_due(self, step: int) -> bool:
        """Whether a line is due where there is no bar."""
        late = time.monotonic() - self.told > _LINE_SECONDS
        return late or step % _LINE_EVERY == 0 or step in (self.first + 1, self.steps)

    def _left(self, step: int) -> str:
        """The time until the last step, as a clock shows it."""
        each = self.seconds / max(step - self.first, 1)
        interval: str = self.bar.format_interval((self.steps - step) * each)
        return interval


def _validation_words(report: StepReport) -> str:
    """A validation as a line."""
    found = report.validation
    if found is None:
        return ""
    numbers = {
        "COCO AP50": found.ap50,
        "COCO AP": found.ap,
        "accuracy": found.accuracy,
        "L1 (px)": found.l1_px,
    }
    words = ", ".join(f"{name} {value:.3f}" for name, value in numbers.items() if value is not None)
    return f"validation after step {found.step}: {words}{' (the best so far)' if found.best else ''}"


def counted(items: Iterable[int]) -> Iterator[int]:
    """Hand items on, with a bar on a terminal where they take longer than a moment.

    Args:
        items: of known number.

    Yields:
        Each item.
    """
    from tqdm import tqdm

    bar: Any = tqdm(items, desc="reading pictures", delay=1.0, leave=False, file=sys.stderr, disable=None)
    yield from bar
