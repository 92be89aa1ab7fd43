"""Studies: a baseline, what counts as success, and changes of it, each on the same seeds.

`Study` declares a question and answers it: how many seeds of the baseline succeed, which changes
help, what becomes of the seeds that fail, and which claims hold. `remedies` makes a study of the
standard remedies. The functions `never`, `rarely`, `usually`, `always`, `helps`, `hurts`, `same`
and `between` state claims.
"""
