"""Questions from the command line: a Python file or a table of data becomes a study and its answer.

This floor imports `approx.study` only while it answers, since that needs scipy and matplotlib,
whose import takes as long as all the rest, and `approx status` should not wait for it.
"""
