"""Networks against real or independent servers, and their stories through the screens."""
