"""`python -m conceptspace` is the command line."""

import sys

from conceptspace.cli import main

sys.exit(main())
