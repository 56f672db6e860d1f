"""Measures the performance budget of the architecture, as ratios to a limit found in the same run. `bin/bench` prints the table; never a test."""
