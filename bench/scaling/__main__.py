"""`make scaling`: simulate every load under every policy and write the pages that show it."""

import sys
import time

from bench.scaling.policy import Parameters
from bench.scaling.report import write
from bench.scaling.scenarios import measured
from bench.scaling.tables import compare


def main() -> None:
    """A few minutes on one core."""
    started = time.monotonic()
    given, task = Parameters(), measured()
    compared = compare(task, given, lambda text: print(text, file=sys.stderr))
    write(compared, task, given)
    print(
        f"wrote docs/scaling.md, its charts, and the costs in docs/operating.md in {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
