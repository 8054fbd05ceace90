"""How much the property tests try: ``default`` is the same points on every run, ``thorough`` twenty times as many.

The browser is here because it is one for all folders: a second one beside it in the same process cannot be started.
"""

import os
import signal

from hypothesis import HealthCheck, settings

from tests.browser import browser as browser

EXAMPLES = 20

# The engine is deterministic, so a failure must be too; machines differ in speed, so no example has a deadline.
settings.register_profile(
    "default",
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=20 * EXAMPLES)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# What a shell starts in the background ignores Ctrl-C, and so would all that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
