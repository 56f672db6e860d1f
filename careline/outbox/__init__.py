"""The way out: deliveries, attempts, windows, limits, sending. Nothing here decides what to say."""
