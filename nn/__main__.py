"""`python -m nn`, the same as `valuegrad`."""

import sys

from nn.command_line import main

sys.exit(main())
