"""Judging what was said, after the digest, in a child process without the database: verdicts with confidence and reasons, corrected by people."""
