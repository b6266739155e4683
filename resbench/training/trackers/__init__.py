"""Watches that pass what a run tells on to other programs: TensorBoard, Weights & Biases, MLflow."""
