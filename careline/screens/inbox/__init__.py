"""The desk: list, case, person. Views are thin: cases.queries says what to show, cases.actions does what was asked."""
