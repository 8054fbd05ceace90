"""``main``: the command ``valuegrad``, which reads what was asked for, has it done, and says what went wrong.

Whatever a user may get wrong ends with one line on stderr and a status other than zero: 2 for how the command was
called, 1 for what was found in a file or on the way, 130 for Ctrl-C.
"""

from __future__ import annotations

import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence

import autograd
from nn.command_line import doctor, formula_commands, options, table_commands
from nn.command_line.drawing import NoLayoutEngine
from nn.command_line.formulas import FormulaError
from nn.command_line.table_commands import CommandError
from nn.model_files import ModelFileError
from nn.tables.cells import TableError
from nn.training.failures import NonFiniteLoss, NothingMoved


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, those of the process by default; the status is returned.

    >>> main(["--version"])
    valuegrad 0.1.0
    0
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal may lack a character of ours, a user's file name any
            stream.reconfigure(errors="replace")
    command = "valuegrad"
    try:
        given = sys.argv[1:] if arguments is None else arguments
        chosen = _parser().parse_args(formula_commands.protected(given))
        command = f"valuegrad {chosen.command}"
        status = int(_COMMANDS[chosen.command](chosen))
        sys.stdout.flush()
        return status
    except SystemExit as ended:  # argparse has said why
        return ended.code if isinstance(ended.code, int) else 1
    except CommandError as error:
        return _complain(command, str(error), error.status)
    except (TableError, ModelFileError) as error:
        return _complain(command, str(error), 1)
    except NonFiniteLoss as error:
        return _complain(command, _without_lines(error), 1)
    except NothingMoved:
        return _complain(command, "nothing was learned: the learning rate is too small to move any parameter", 1)
    except (ValueError, OverflowError, NoLayoutEngine, ModuleNotFoundError) as error:
        if chosen.command not in formula_commands.COMMANDS:
            raise
        return _complain(command, _without_lines(error), 2 if isinstance(error, FormulaError) else 1)
    except MemoryError:
        return _complain(command, "there is not enough memory; use narrower layers or fewer rows", 1)
    except BrokenPipeError:  # whoever read our output has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _complain(command, f"{place}{error.strerror or error}", 1)
    except KeyboardInterrupt:
        return _complain(command, "interrupted", 130)


def _without_lines(error: Exception) -> str:
    """What an error says; the engine's errors give the user's line, but here no line is the user's."""
    return re.sub(r" \([^()\s]+:\d+\)", "", str(error))


#: Of a message, whatever names it holds: those of twenty columns, and a path.
MOST_CHARACTERS = 2000


def _complain(command: str, message: str, status: int) -> int:
    line = "".join([c if c.isprintable() else repr(c)[1:-1] for c in " ".join(message.split())])
    print(f"{command}: {line if len(line) <= MOST_CHARACTERS else line[: MOST_CHARACTERS - 1] + '…'}", file=sys.stderr)
    return status


_DESCRIPTION = "Train small neural networks on tables of numbers; draw, derive and play the graphs of formulas."


def _parser() -> options.Parser:
    parser = options.Parser(prog="valuegrad", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"valuegrad {autograd.__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    table_commands.add(commands)

    formula_commands.add(commands)
    commands.add_parser("doctor", help="report what is installed, and what is in the way")
    return parser


def _doctor(chosen: Namespace) -> int:
    text, well = doctor.report()
    print(text)
    return 0 if well else 1


_COMMANDS = {**table_commands.COMMANDS, **formula_commands.COMMANDS, "doctor": _doctor}
