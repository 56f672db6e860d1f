"""The life of spikes: what is counted with the verdicts, remembered of the last hours, judged after each batch, kept and let go."""
