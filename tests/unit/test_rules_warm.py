"""What rules compute with is compiled into the image, and loaded when a worker starts."""

import numpy as np

from cryptowatch.indicators import CATALOGUE
from cryptowatch.indicators.kernel import Kernel
from cryptowatch.rules import windows
from cryptowatch.rules.warm import warm


def kernels_of(module: object) -> list[Kernel]:
    return [
        one for one in vars(module).values() if isinstance(one, Kernel) and one.function.__module__ == windows.__name__
    ]


def test_every_kernel_of_the_rules_is_compiled(monkeypatch) -> None:
    run: list[Kernel] = []
    plain = windows.run
    monkeypatch.setattr(windows, "run", lambda one, *given: run.append(one) or plain(one, *given))
    warm()
    assert len(kernels_of(windows)) == 1
    assert set(map(id, run)) == set(map(id, kernels_of(windows)))


def test_it_tells_how_many_there_are() -> None:
    assert warm() == len(CATALOGUE) + 1
    assert np.isfinite(windows.log(np.ones((1, 3)))).all()
