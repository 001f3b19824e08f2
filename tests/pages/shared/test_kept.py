"""What is kept for every visitor: made once, found by name, the oldest gone first."""

from __future__ import annotations

from pages.shared.kept import Kept


def test_what_is_kept_is_made_once():
    made, kept = [], Kept(most=2)

    answers = [kept.take("a", lambda: made.append("a") or len(made)) for _ in range(3)]

    assert (answers, made) == ([1, 1, 1], ["a"])


def test_the_one_that_was_not_asked_for_longest_goes_first():
    kept = Kept(most=2)
    for name in ("a", "b", "a", "c"):
        kept.take(name, name.upper)

    assert ("a" in kept, "b" in kept, "c" in kept) == (True, False, True)
    assert (kept.get("a"), kept.get("b")) == ("A", None)


def test_some_or_all_are_forgotten():
    kept = Kept(most=9)
    for key in (("x", 1), ("x", 2), ("y", 1)):
        kept.take(key, lambda: "made")

    kept.forget(lambda key: key[0] == "x")
    assert (("x", 1) in kept, ("y", 1) in kept) == (False, True)
    kept.forget()
    assert ("y", 1) not in kept
