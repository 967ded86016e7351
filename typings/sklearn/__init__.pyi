"""What costlab uses of scikit-learn, which has no types."""
