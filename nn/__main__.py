"""``python -m nn``, the same as ``valuegrad``."""

from __future__ import annotations

import sys

from nn.command_line import main

sys.exit(main())
