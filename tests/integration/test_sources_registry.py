"""Every exchange of ccxt is a source, and each is opened alone."""

import subprocess
import sys

from cryptowatch.sources.registry import known_sources, open_source


def test_one_exchange_is_opened_without_importing_the_others_and_all_are_known() -> None:
    code = (
        "import sys\n"
        "from cryptowatch.sources.registry import ALIASES, known_sources, open_source\n"
        "open_source('kraken')\n"
        "assert 'ccxt.kraken' in sys.modules and 'ccxt.binance' not in sys.modules\n"
        "del sys.modules['ccxt']\n"
        "import ccxt\n"
        "assert set(known_sources()) == {*ccxt.exchanges, *ALIASES}, set(known_sources()) ^ set(ccxt.exchanges)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_known_source_opens() -> None:
    for name in known_sources():
        open_source(name).intervals()
