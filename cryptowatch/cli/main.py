"""The command line. Each command is a thin call of a documented function; errors are one clear line and exit code 1."""

import typer

from cryptowatch.cli import backfill, deployed, local_stack, metrics, muting, reference, running, transfer, watching

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Tells people by email when a crypto market does what they asked it to look for.",
)
app.add_typer(watching.app)
app.add_typer(running.app)
app.add_typer(muting.app)
app.add_typer(metrics.app)
app.add_typer(backfill.app)
app.add_typer(transfer.app)
app.add_typer(reference.app)
app.add_typer(deployed.app)
app.add_typer(local_stack.app, name="local")


def main() -> None:
    """The command `cryptowatch`."""
    app()


if __name__ == "__main__":
    main()
