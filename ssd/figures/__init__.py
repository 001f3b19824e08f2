"""The figure room: takes records, computes nothing."""
