"""What each counter counts, one file a counter: the facts of its own rules, stated over the rows of our ledger."""
