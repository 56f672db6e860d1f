"""The desk in a real browser, against a real Careline and a real (if small) platform of our own."""
