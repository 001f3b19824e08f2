"""The checker of shapes and types that the tests switch on for the whole package."""

from __future__ import annotations

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is good where a float is asked for
