"""What is measured of a model, one metric a module."""
