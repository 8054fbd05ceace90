"""The pictures of the README, made by the package itself: `python -m tests.pictures.readme_pictures` writes them anew.

The drawings come from the package's own engine, so their text is the same everywhere, and a test compares it. The
decision regions are those of `valuegrad demo`, in fewer colours and a smaller size. The photograph of the step-through
page needs a browser, and depends on the fonts that are there; without one it is left as it is.
"""

import contextlib
import io
import re
import tempfile
from pathlib import Path
from typing import Any

import nn
from autograd import Value, draw, step_through, tanh
from nn.command_line import main
from tests.browser import installed, started

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = {"width": 860, "height": 450}
REGIONS = (860, 620)


def neuron() -> Value:
    """The neuron of the README's first example, after `backward()`."""
    x, w, b = Value(2.0, "x"), Value(-0.5, "w"), Value(0.25, "b")
    z = w * x + b
    y = tanh(z)
    z.label, y.label = "z", "y"
    y.backward()
    return y


def shared() -> Value:
    """A number that is used twice, so that the order of the backward pass matters."""
    w, x = Value(0.5, "w"), Value(4.0, "x")
    u = w * x
    s = u.sin()
    y = u * s
    u.label, s.label, y.label = "u", "s", "y"
    return y


def drawings() -> dict[str, str]:
    """File name → SVG, without a background, so that they suit a light and a dark page."""
    pictures = {
        "neuron.svg": draw(neuron(), partials=True, engine="svg"),
        "network.svg": draw(nn.MLP(2, [5, 4, 1], seed=0), engine="svg"),
    }
    return {name: picture.pipe(format="svg", encoding="utf-8") for name, picture in pictures.items()}


def regions(path: Path) -> None:
    """The decision regions that `valuegrad demo` learns."""
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        assert main(["demo", "--out", folder]) == 0
        picture = Image.open(Path(folder, "moons", "regions.png")).convert("RGB")
        picture.resize(REGIONS, Image.Resampling.LANCZOS).quantize(64, dither=Image.Dither.NONE).save(
            path, optimize=True
        )


def shown(svg: str) -> str:
    """A drawing as it is seen, without its tooltips: they give all digits, and the last one is the machine's."""
    return re.sub(r"<title>[^<]*</title>", "", svg)


def photograph(browser: Any, path: Path) -> None:
    """Take a picture of the step-through page in the middle of its backward pass."""
    with tempfile.TemporaryDirectory() as folder:
        page_file = Path(folder, "page.html")
        step_through(shared(), title="y = u · sin(u), u = w · x", precision=4).save(page_file)
        page = browser.new_page(viewport=SIZE)
        page.goto(page_file.as_uri())
        page.wait_for_selector(".node")
        for _ in range(6):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("() => document.querySelector('#timeline').value === '6'")
        page.wait_for_timeout(1000)  # until what moves has come to rest
        page.screenshot(path=path, animations="disabled")
        page.close()


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in drawings().items():
        Path(FOLDER, name).write_text(text, encoding="utf-8")
        print(name)
    regions(FOLDER / "regions.png")
    print("regions.png")
    program = installed()
    if program is None:
        print("step.png is left as it is: no Chromium is installed")
    else:
        with started(program) as chromium:
            photograph(chromium, FOLDER / "step.png")
        print("step.png")
