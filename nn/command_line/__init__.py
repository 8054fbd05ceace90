"""The command ``valuegrad``: what it can be asked for, the options it takes, and the formulas that it reads."""

from nn.command_line.commands import main as main
