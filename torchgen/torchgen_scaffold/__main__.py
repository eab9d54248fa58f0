"""`python -m torchgen_scaffold` is the command `torchgen`."""

from torchgen_scaffold.cli import cli

if __name__ == "__main__":
    cli(prog_name="torchgen")
