"""Pictures as people have them: which files there are, what is in them, and what was left out."""
