"""Times of kernels that were not measured, from those that were. Needs numpy alone."""
