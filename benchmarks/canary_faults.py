"""How a request asks the service of ``canary_service.py`` to fail, and ``acerto`` with that in the service's place.

The id of the first account begins with a word for what fails.
"""

from __future__ import annotations

import sys

CRASH, SLOW, ROW, DISK, GONE, LEAK = "crash-", "slow-", "row-", "disk-", "gone-", "leak-"
SLOW_S = 1.6


def main() -> None:
    """The command line, whose ``serve`` starts the service with faults."""
    from cli.main import main as acerto
    from serving import launch

    launch._SERVICE = "canary_service:AcertoService"
    acerto()


if __name__ == "__main__":
    sys.argv[0] = "acerto"
    main()
