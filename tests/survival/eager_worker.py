"""`python -m tests.survival.eager_worker`: the real worker at the priority of the tests themselves.

Below it, as it usually is, its imports take minutes on a machine that is busy with other things.
"""

from __future__ import annotations

import sys

from studio.worker import process
from studio.worker.environment import prepare

if __name__ == "__main__":
    prepare()
    process.NICENESS = process.GROUP_NICENESS = 0
    from studio.worker.entry import main

    main(sys.argv[1:])
