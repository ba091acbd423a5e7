"""JAX: state is passed through compiled steps as values."""
