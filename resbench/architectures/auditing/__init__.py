"""Which catalogued network a network is, from its layers or from the names and shapes of a checkpoint. No torch.

`dataflow` writes a network down so that how it was coded no longer shows; `anatomy` finds its stem, units and head in
that; `traits` puts them into words; `comparing` and `checkpoints` compare with every catalogued network.
"""
