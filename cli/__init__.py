"""The composition root: reads configurations and files, calls the rest, and prints."""
