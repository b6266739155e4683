"""What each network is, as data, and the layers that follow from it."""
