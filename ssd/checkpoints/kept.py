"""Weights of a similar network: what fits is kept, what is new is named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from ssd.checkpoints.weights import mismatch
from ssd.contract import ModelConfig
from ssd.errors import CheckpointError
from ssd.models.network import is_of_classes

__all__ = ["Kept", "load_kept"]


@dataclass(frozen=True)
class Kept:
    """What a network took over from another's weights.

    Attributes:
        kept: names of the tensors that were taken over.
        new: names of the tensors that stayed as they were: freshly drawn.
        left: names in the other's weights that this network has no place for.
    """

    kept: tuple[str, ...]
    new: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """In words, whole modules by their name."""
        everything = (*self.kept, *self.new)
        taken = ", ".join(_folded(self.kept, everything))
        text = f"Kept {len(self.kept)} of {len(everything)} tensors ({taken})"
        return f"{text}; new: {', '.join(_folded(self.new, everything))}." if self.new else f"{text}."


def load_kept(
    model: nn.Module, state: Mapping[str, Tensor], *, class_names: tuple[str, ...] | None = None
) -> Kept:
    """Give a network all weights of another that fit: with other classes, all but the classes'.

    Args:
        model: the network; it is changed, or left as it was where this raises.
        state: the other's tensors by name.
        class_names: the other's classes, in order. Where they differ from the model's,
            the weights that speak of classes are new also when their shapes agree.

    Returns:
        What was kept, what is new, and what was left over.

    Raises:
        CheckpointError: nothing fits, or a tensor that fits is not finite.

    Example:
        >>> from ssd.model_presets import model_preset
        >>> from ssd.models.network import build_model
        >>> cats, pets = (build_model(model_preset("ssd-small", names)) for names in (("a",), ("a", "b")))
        >>> load_kept(pets, cats.state_dict()).new
        ('heads.0.logits.weight', 'heads.0.logits.bias', 'heads.1.logits.weight', ...)
    """
    own = model.state_dict()
    fits = {key: want.shape == state[key].shape for key, want in own.items() if key in state}
    of_classes = {key for key in fits if is_of_classes(key)}
    if _differ(model, class_names) or not all(fits[key] for key in of_classes):
        fits |= dict.fromkeys(of_classes, False)
    kept = [key for key, fit in fits.items() if fit]
    odd = [f"{key} {words}" for key in kept if (words := mismatch(own[key], state[key]))]
    if odd or not kept:
        what = odd[0] if odd else "none of them is"
        raise CheckpointError(
            f"Weights to start from must fit the network, but {what}; choose weights of a similar network."
        )
    model.load_state_dict({**own, **{key: state[key] for key in kept}})
    taken = set(kept)
    return Kept(tuple(kept), tuple(k for k in own if k not in taken), tuple(k for k in state if k not in own))


def _differ(model: nn.Module, class_names: tuple[str, ...] | None) -> bool:
    """Whether the other network is known to have other classes."""
    config = getattr(model, "config", None)
    return class_names is not None and class_names != cast(ModelConfig, config).class_names


def _folded(names: Iterable[str], everything: Iterable[str]) -> list[str]:
    """The fewest prefixes that hold all of ``names`` and nothing else."""
    chosen, others = list(names), set(everything) - set(names)
    found: dict[str, None] = {}
    for name in chosen:
        parts = name.split(".")
        prefixes = (".".join(parts[:length]) for length in range(1, len(parts) + 1))
        found[next(p for p in prefixes if p == name or not any(o.startswith(f"{p}.") for o in others))] = None
    return list(found)
