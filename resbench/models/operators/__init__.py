"""What each operator of PyTorch does to the tensors of a running network, and which layer it is."""
