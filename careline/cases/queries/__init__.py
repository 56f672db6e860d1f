"""Reads of cases for every door: what may be seen, lists, one case, search, the lead's figures."""
