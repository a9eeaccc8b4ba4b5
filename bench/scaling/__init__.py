"""Scaling by simulation: what a fleet needs for its load, and what it costs. `make scaling` writes docs/scaling.md."""
