"""The command ``valuegrad``."""

from nn.command_line.commands import main as main
