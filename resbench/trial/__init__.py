"""One live experiment: model, data and device, measured or trained."""
