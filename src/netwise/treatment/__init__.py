"""Treatment: remedies, paired trials of them, and the loop that applies what is proved to help."""
