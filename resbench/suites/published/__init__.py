"""Published figures, each written down once, with its source; two suites that show one figure take it from here."""
