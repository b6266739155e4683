"""How long a call takes: three named clocks, a test for the end of the warm-up, intervals, and when to stop."""
