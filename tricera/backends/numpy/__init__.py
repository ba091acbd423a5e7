"""The plain reference: NumPy alone, everything but gradients, clarity before speed."""
