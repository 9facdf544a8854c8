"""``python -m keywright``: the command line, for where the script is not on the path."""

from keywright.cli import main

if __name__ == "__main__":
    main()
