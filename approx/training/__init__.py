"""The training of one network, as pure functions of a JAX key."""
