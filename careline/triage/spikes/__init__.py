"""Spikes: whether more is being said than usual, how sure that is, about what and by whom. Pure statistics; storing and telling live elsewhere."""
