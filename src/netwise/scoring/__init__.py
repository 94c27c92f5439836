"""What answers are worth: metrics computed by scikit-learn, their intervals, and all scores of one
part of the data together."""
