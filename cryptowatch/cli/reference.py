"""What can be used in a watch list: indicators, sources."""

from typing import Annotated

import typer

from cryptowatch.cli.options import Json, fail, print_json

app = typer.Typer()


@app.command()
def indicators(
    name: Annotated[str | None, typer.Argument(help="One indicator; all of them if left out.")] = None,
    as_json: Json = False,
) -> None:
    """Describe the indicators a rule may use.

    Example: `cryptowatch indicators rsi`
    """
    from cryptowatch.cli import show
    from cryptowatch.indicators import CATALOGUE, find, names
    from cryptowatch.indicators.reference import as_data
    from cryptowatch.watches.problem import did_you_mean

    if name is not None and name not in names():
        fail(f"unknown indicator {name!r}: {did_you_mean(name, sorted(names()))}")
    entries = [find(name)] if name else [CATALOGUE[key] for key in sorted(CATALOGUE)]
    if as_json:
        print_json([as_data(entry) for entry in entries])
        return
    if name:
        show.indicator(entries[0])
    else:
        show.indicator_names(entries)


@app.command()
def sources(
    name: Annotated[str | None, typer.Argument(help="One exchange; all of them if left out.")] = None,
    as_json: Json = False,
) -> None:
    """List the exchanges that give candles without a key, and what they give. No network is needed.

    Example: `cryptowatch sources kraken`
    """
    from cryptowatch.cli import sources as page

    if name is None:
        survey = page.all_sources()
        print_json(page.as_data(survey)) if as_json else page.show_all(survey)
        return
    try:
        one = page.one_source(name)
    except page.NoSourceError as error:
        fail(str(error))
    print_json(page.as_data(one)) if as_json else page.show_one(one)
