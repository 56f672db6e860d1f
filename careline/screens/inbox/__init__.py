"""The desk: list, case, person. Views are thin; what they show comes from cases.queries, what they do from cases.actions."""
