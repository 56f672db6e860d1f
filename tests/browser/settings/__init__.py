"""Settings, channels and sign-in in a real browser, against a real Careline."""
