"""Tests mirror the package: ``tests/data/test_voc.py`` is about ``ssd/data/voc.py``."""
