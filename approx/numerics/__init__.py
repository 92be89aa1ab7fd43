"""Elementary functions, matrix products and solvers, for one network and for many at once."""
