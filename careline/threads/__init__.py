"""What was said: threads, messages, their revisions and files, and search over them."""
