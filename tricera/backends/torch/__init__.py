"""PyTorch: eager, on native parameters; layers are `torch.nn.Module`s."""
