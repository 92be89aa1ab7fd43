"""Studies: a baseline, and named changes of it that are trained on the same seeds.

A baseline is a task and a recipe. A change says what is different, as a dictionary of names and
values. The networks of a change and of the baseline are compared seed by seed.
"""
