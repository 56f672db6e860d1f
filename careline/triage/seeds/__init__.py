"""Labelled messages written for Careline, from which the shipped heads learn and against which the rules are measured."""
