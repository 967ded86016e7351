"""What costlab uses of diffusers, whose own types take long to read."""
