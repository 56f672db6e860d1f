"""Meta's Graph API: what WhatsApp, Facebook, Instagram and Threads share. Each network has a folder of its own in here."""
