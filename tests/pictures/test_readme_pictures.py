"""The README's pictures are what the package draws today, small, and complete in themselves."""

import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.pictures import readme_pictures
from tests.pictures.readme_pictures import FOLDER

HOW = "run `python -m tests.pictures.readme_pictures`, and look at what it wrote"
DRAWINGS = readme_pictures.drawings()

every_drawing = pytest.mark.parametrize("name", DRAWINGS)


def test_the_folder_holds_these_pictures_and_they_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sorted(sizes) == sorted([*DRAWINGS, "regions.png", "step.png"])
    assert max(sizes.values()) < 80_000


@every_drawing
def test_a_drawing_is_current(name: str) -> None:
    assert readme_pictures.shown((FOLDER / name).read_text("utf-8")) == readme_pictures.shown(DRAWINGS[name]), HOW


@every_drawing
def test_a_drawing_is_complete_and_has_no_background(name: str) -> None:
    """On a page, an image may load nothing; and what covers all of it would be a bright slab on a dark page."""
    root = ElementTree.fromstring(DRAWINGS[name])
    width = float(root.attrib["width"])
    for element in root.iter():
        assert not [value for value in element.attrib.values() if "url(" in value]
        assert not [key for key in element.attrib if key.endswith("href")]
        assert float(element.attrib.get("width", 0)) < width or element is root


def test_the_neuron_has_the_numbers_of_the_example() -> None:
    readme = (FOLDER.parents[1] / "README.md").read_text("utf-8")
    y = readme_pictures.neuron()
    w = y.parents[0].parents[0].parents[0]
    assert f"y = {y:.4f}, dy/dw = {w.grad:.4f}" in readme
    assert f"{y.data:.4g}" in DRAWINGS["neuron.svg"]
    assert f"{w.grad:.4g}" in DRAWINGS["neuron.svg"]


def _size(png: Path) -> tuple[int, int]:
    content = png.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", content[16:24])
    return width, height


def test_the_regions_can_be_drawn_again(tmp_path: Path) -> None:
    readme_pictures.regions(tmp_path / "regions.png")
    assert _size(tmp_path / "regions.png") == _size(FOLDER / "regions.png") == readme_pictures.REGIONS


def test_the_photograph_can_be_taken_again(browser: Any, tmp_path: Path) -> None:
    """What it shows depends on the fonts that are there; its size does not."""
    readme_pictures.photograph(browser, tmp_path / "step.png")
    said = (readme_pictures.SIZE["width"], readme_pictures.SIZE["height"])
    assert _size(tmp_path / "step.png") == _size(FOLDER / "step.png") == said
