"""A step-through page in a real browser, as a person meets it: what is read off the boxes, what is clicked and typed.

Whatever a test does, the page must log no error and ask the network for nothing; ``StepPage.finish`` says so.
"""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

from autograd import Value
from autograd.pictures.page.document import Page

_COUNT = itertools.count()


class StepPage:
    """The page under a driver; ``frame`` is where it lives, which is a frame of another page in notebooks."""

    def __init__(self, page: Any, frame: Any = None) -> None:
        self.page = page
        self.frame = frame or page.main_frame
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.shown = 0

    def watch(self) -> None:
        """Note every error and every request from now on."""
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def finish(self) -> None:
        """No console message, no uncaught error, no request but for the file itself."""
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith(("file://", "about:", "data:"))] == []
        assert len([url for url in self.requests if url.startswith("file://")]) == self.shown, "a page is one file"

    # what is seen

    @property
    def last(self) -> int:
        return int(self.frame.eval_on_selector("#timeline", "line => line.max"))

    @property
    def at(self) -> int:
        return int(self.frame.eval_on_selector("#timeline", "line => line.value"))

    def text(self, selector: str) -> str:
        return str(self.frame.locator(selector).inner_text())

    def boxes(self, pane: str = ".pane:not(.wrong)") -> list[dict[str, Any]]:
        """Every box of a graph: its name, kind, shown number, shown gradient, classes and note."""
        return list(
            self.frame.eval_on_selector_all(
                f"{pane} .node",
                """boxes => boxes.map(box => ({
                    slot: Number(box.dataset.slot),
                    name: box.querySelector('.name')?.textContent ?? '',
                    symbol: box.querySelector('.symbol')?.textContent ?? '',
                    data: box.querySelector('.data')?.value ?? box.querySelector('.data')?.textContent ?? '',
                    gradient: box.querySelector('.gradient')?.textContent ?? '',
                    classes: [...box.classList],
                    note: box.querySelector('.note:not([hidden])')?.textContent ?? '',
                }))""",
            )
        )

    def box(self, name: str, pane: str = ".pane:not(.wrong)") -> dict[str, Any]:
        return next(box for box in self.boxes(pane) if box["name"] == name)

    def gradients(self, pane: str = ".pane:not(.wrong)") -> dict[str, str]:
        return {box["name"]: box["gradient"] for box in self.boxes(pane) if box["gradient"]}

    def data(self) -> dict[str, str]:
        return {box["name"]: box["data"] for box in self.boxes() if box["data"]}

    def pills(self, pane: str = ".pane:not(.wrong)") -> list[str]:
        return list(self.frame.locator(f"{pane} .pill").all_inner_texts())

    # what is done

    def go(self, step: int) -> None:
        """Move the timeline there, as dragging does."""
        self.frame.eval_on_selector(
            "#timeline", "(line, step) => { line.value = step; line.dispatchEvent(new Event('input')); }", step
        )

    def end(self) -> None:
        self.frame.eval_on_selector("#last", "button => button.click()")

    def show(self, made: Page, folder: Path) -> None:
        """Another page in place of this one, from a file."""
        self.shown += 1
        self.page.goto(made.save(folder / f"page{next(_COUNT)}.html").as_uri())

    def edit(self, name: str, number: float | str) -> None:
        """Type another number into a leaf."""
        text = number if isinstance(number, str) else repr(number)
        self.frame.get_by_label(f"Value of {name}", exact=True).fill(text)

    def edit_quickly(self, numbers: dict[str, float]) -> None:
        """Other numbers for leaves, as typing gives them, in one round trip."""
        self.frame.evaluate(
            """numbers => {
                for (const [name, text] of Object.entries(numbers)) {
                    const input = document.querySelector(`input[aria-label="Value of ${name}"]`);
                    input.value = text;
                    input.dispatchEvent(new Event("input"));
                }
            }""",
            {name: repr(number) for name, number in numbers.items()},
        )


def shown(x: float, digits: int = 6) -> str:
    """How the page shows a number: as Python does."""
    return f"{x:.{digits}g}" if not math.isnan(x) else "nan"


def gradients_of(output: Value, leaves: dict[str, Value], digits: int = 6) -> dict[str, str]:
    """What ``backward()`` leaves in the leaves, as the page shows it."""
    for leaf in leaves.values():
        leaf.grad = 0.0
    output.backward()
    return {name: shown(leaf.grad, digits) for name, leaf in leaves.items()}
