"""`python -m studio.worker`: started by the studio, never by hand."""

from __future__ import annotations

import sys

from studio.worker.environment import prepare

if __name__ == "__main__":
    prepare()
    from studio.worker.entry import main

    main(sys.argv[1:])
