"""Questions, their experiments and the published answers, one suite a module."""
