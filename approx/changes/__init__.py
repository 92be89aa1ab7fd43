"""Changes of a task and a recipe by the names of their fields, and axes made of such changes."""
