"""The simulated network's other side: the platform itself, its customers, the demo and the load.

Nothing else imports it.
"""
