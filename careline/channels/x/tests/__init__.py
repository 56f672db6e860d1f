"""Tests of the X network."""
