"""`python -m lambdapack` and the console script: cli/main.py, which imports nothing heavy before it must."""

import sys

from lambdapack.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
