"""Named data sets: bundled with scikit-learn, public files, and synthetic tasks."""
