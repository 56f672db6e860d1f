"""The named steps of the digest, in the order they run: normalise, dedupe, identify, thread, case, keep, changes, counters."""
