"""Energy of one picture, by a counter of joules; refused where no counter can tell. Nothing is guessed from watts on paper."""
