"""`python -m laidian`: the same command as `laidian`."""

import sys

from laidian.cli import main

if __name__ == "__main__":
    sys.exit(main())
