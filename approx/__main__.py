"""`python -m approx`: see `commands`."""

from approx.commands import main

main()
