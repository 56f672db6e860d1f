"""Careline's SQLite backend for Django: a current SQLite, one write lock for the process, FULL synchronous on every connection."""
