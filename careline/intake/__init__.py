"""The way in: the journal that keeps every delivery, the readers that fetch, the digest that understands, the dead letters."""
