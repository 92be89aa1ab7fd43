"""
How many seeds are needed
=========================

A rate near one half needs the most seeds.
"""

import approx as ap

ap.plot.plan(ap.stats.plan(), title="Half the width takes four times the seeds")
