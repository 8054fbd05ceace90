"""``Kept``: lists of an object that another may have in arrays, and that are made again when somebody asks for them."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from nn.interrupts import uninterrupted


class Keeper(Protocol):
    """Whoever has the states of an optimizer in arrays."""

    def states(self) -> list[list[float]]:
        """The lists, in the order of ``STATE``."""


class Kept:
    """What has lists of numbers, named in ``STATE``, and a number of ``steps``."""

    STATE: ClassVar[tuple[str, ...]] = ()
    steps: int

    #: Who has what ``STATE`` names, until it is asked for.
    keeper: Keeper | None = None

    def leave_to(self, keeper: Keeper, steps: int) -> None:
        """Let another have the states, after so many steps, until somebody asks for them here."""
        self.steps = steps
        if not self.is_left_to(keeper):
            self.keeper = keeper
            for name in filter(self._holds, self.STATE):
                delattr(self, name)

    def is_left_to(self, keeper: Keeper) -> bool:
        """Whether that other has the states, and nobody has written any here since."""
        return self.keeper is keeper and not any(map(self._holds, self.STATE))

    def _holds(self, name: str) -> bool:
        try:
            object.__getattribute__(self, name)
        except AttributeError:
            return False
        return True

    def __getattr__(self, name: str) -> Any:
        keeper = self.keeper
        if keeper is None or name not in self.STATE:
            raise AttributeError(
                f"{type(self).__name__!r:.200} object has no attribute {name!r:.200}", name=name, obj=self
            )
        with uninterrupted():
            for state, numbers in zip(self.STATE, keeper.states(), strict=True):
                if not self._holds(state):
                    setattr(self, state, numbers)
            self.keeper = None
        return object.__getattribute__(self, name)

    def __getstate__(self) -> dict[str, Any]:
        if self.keeper is not None and self.STATE:
            getattr(self, self.STATE[0])
        return {name: x for name, x in vars(self).items() if name != "keeper"}
