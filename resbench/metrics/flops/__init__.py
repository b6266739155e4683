"""The ledger of operations: counted once, rendered by any convention, explained, and reconciled with other counters."""
