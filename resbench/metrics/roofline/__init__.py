"""The roofline: what each layer must compute and move, what this machine can do, and what time that takes at least.

Only `ceilings`, `operators` and `trace` need torch.
"""
