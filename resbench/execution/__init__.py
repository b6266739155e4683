"""From a suite to its stored results."""
