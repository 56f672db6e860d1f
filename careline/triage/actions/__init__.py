"""What people decide about triage, one verb a file."""
