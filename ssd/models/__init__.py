"""The model room: backbones, heads and the SSD module."""
