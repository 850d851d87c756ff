"""`python -m dockpass` and the `dockpass` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from dockpass.cli.main import run

    run()


if __name__ == "__main__":
    main()
