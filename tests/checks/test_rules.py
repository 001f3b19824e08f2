"""The table of rules, and the page that shows it."""

from __future__ import annotations

from ssd.checks import RULES


def test_the_documentation_has_every_rule_as_the_program_says_it(root):
    text = (root / "docs" / "doctor.md").read_text()

    rows = [line for line in text.splitlines() if line.startswith("| `") and line.count("|") == 5]
    assert rows == [
        f"| `{n}` | {rule.severity} | {rule.title} | {rule.remedy} |" for n, rule in RULES.items()
    ]
