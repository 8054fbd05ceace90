"""Who lays a picture out, and what happens where nobody can: a display never raises."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import graphviz
import pytest

import autograd
from autograd import Value, draw
from autograd.pictures.drawing import engines
from autograd.pictures.drawing.engines import LayoutFailed, NoLayoutEngine, render

ROOT = Path(autograd.__file__).parents[1]


def small() -> Any:
    a = Value(2.0, "a")
    return draw(a.tanh() * a)


@pytest.fixture
def no_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)


@pytest.fixture
def no_engine(no_dot: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def stand_in(folder: Path, script: str) -> None:
    """A ``dot`` program that does what the script says."""
    program = folder / "dot"
    program.write_text(f"#!{sys.executable}\nimport sys, time\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


posix = pytest.mark.skipif(os.name != "posix", reason="a script with a first line #! is no program there")


# a picture is a Digraph


def test_a_picture_is_a_digraph() -> None:
    picture = small()
    assert isinstance(picture, graphviz.Digraph)
    assert picture.source.startswith("digraph")
    assert picture.format == "svg"


def test_a_terminal_says_what_to_do_with_a_picture() -> None:
    assert repr(small()) == "<picture of 5 nodes; .write('graph.svg') makes a file, .view() opens it>"
    assert repr(draw(Value(1.0))).startswith("<picture of 1 node; ")


def test_a_copy_and_a_subgraph_work() -> None:
    picture = small()
    assert picture.copy().source == picture.source
    assert picture.copy().pipe("mermaid") == picture.pipe("mermaid")
    with picture.subgraph(name="cluster_more") as more:
        more.node("x")
    assert "cluster_more" in picture.source


def test_drawing_imports_graphviz_and_importing_does_not() -> None:
    program = (
        "import sys, autograd; assert 'graphviz' not in sys.modules; "
        "autograd.draw(autograd.Value(1.0)); assert 'graphviz' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)


def test_pictures_need_the_standard_library_and_graphviz_alone() -> None:
    """SVG, Mermaid and DOT, in a process where no other package can be imported."""
    folder = Path(graphviz.__file__).parents[1]
    program = f"""
import importlib.abc, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ("autograd", "graphviz"):
            raise ImportError(name)
sys.meta_path.insert(0, Refuse())
sys.path[:0] = [{str(ROOT)!r}, {str(folder)!r}]
import autograd, shutil
shutil.which = lambda *_: None
from autograd.pictures.drawing import engines
engines.is_there = lambda engine: False
x = autograd.Value(2.0, "x")
picture = autograd.draw((x * x).tanh())
assert picture._repr_mimebundle_()["image/svg+xml"].startswith("<svg")
assert picture.mermaid and picture.source
"""
    subprocess.run([sys.executable, "-I", "-S", "-c", program], check=True, timeout=60)


# engines


@pytest.mark.parametrize("engine", ["dot", "pygraphviz"])
@pytest.mark.parametrize(("kind", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_an_engine_makes_a_format(engine: str, kind: str, start: bytes) -> None:
    if not engines.is_there(engine):
        pytest.skip(f"{engine} is not installed here")
    assert small().pipe(kind, engine=engine).startswith(start)


@pytest.mark.parametrize("engine", ["dot", "pygraphviz"])
def test_an_engine_keeps_the_places_of_a_network(engine: str) -> None:
    """Units of a column stand above each other in what the engine draws, too."""
    if not engines.is_there(engine):
        pytest.skip(f"{engine} is not installed here")
    import nn

    root = ElementTree.fromstring(draw(nn.MLP(2, [3, 1])).pipe("svg", engine=engine))
    circles = sorted({round(float(e.get("cx") or 0)) for e in root.iter("{http://www.w3.org/2000/svg}ellipse")})
    assert len(circles) == 3


@pytest.mark.usefixtures("no_dot")
@pytest.mark.parametrize(("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_file_is_drawn_by_pygraphviz_where_no_dot_is(ending: str, start: bytes, tmp_path: Path) -> None:
    if not engines.is_there("pygraphviz"):
        pytest.skip("pygraphviz is not installed here")
    path = render(small(), tmp_path / "deep" / f"graph.{ending}")
    assert path.read_bytes().startswith(start)


def test_engines_run_from_a_script_without_a_guard(tmp_path: Path) -> None:
    """A process that imported the script again would start drawing again, and so on."""
    script = tmp_path / "script.py"
    script.write_text(
        "import autograd\nfrom autograd.pictures.drawing import engines\n"
        "engines.shutil.which = lambda name: None\n"
        "print(autograd.draw(autograd.Value(1.0) + 1.0).pipe('svg', encoding='utf-8').count('<svg'))\n",
        encoding="utf-8",
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("1\n", "")


# the chain


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_svg_is_written_here() -> None:
    picture = small()
    assert picture.pipe("svg").startswith(b"<svg")
    assert picture._repr_mimebundle_()["image/svg+xml"].startswith("<svg")
    assert picture._repr_svg_().startswith("<svg")


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_without_an_engine_the_error_says_the_remedy(kind: str, tmp_path: Path) -> None:
    picture = small()
    with pytest.raises(NoLayoutEngine, match=r"pip install 'valuegrad\[viz\]'"):
        picture.pipe(kind)
    with pytest.raises(NoLayoutEngine, match=f"{kind} needs a layout engine"):
        picture.write(tmp_path / f"graph.{kind}")
    with pytest.raises(NoLayoutEngine):
        picture.render(tmp_path / "graph", format=kind)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_engine")
def test_a_named_engine_that_is_missing_is_an_error_but_for_a_display() -> None:
    picture = draw(Value(1.0) + 1.0, engine="dot")
    with pytest.raises(NoLayoutEngine, match="dot is not installed"):
        picture.pipe("svg")
    assert picture._repr_mimebundle_()["image/svg+xml"].startswith("<svg")


@posix
def test_an_engine_that_hangs_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "time.sleep(60)")
    monkeypatch.setattr(engines.shutil, "which", lambda name: str(tmp_path / "dot"))
    with pytest.raises(LayoutFailed, match=r"dot took longer than 0\.5 s"):
        engines.run("dot", small().source, "svg", limit=0.5)
    monkeypatch.setattr(engines, "TIME_LIMIT", 0.5)
    assert small().pipe("svg").startswith(b"<svg")
    with pytest.raises(NoLayoutEngine, match=r"dot took longer than 0\.5 s: "):  # the other engine is not tried
        small().pipe("png")


@posix
@pytest.mark.parametrize("script", ["sys.exit('no fonts')", "pass", "sys.stdout.write('<svg'); sys.exit(3)"])
def test_an_engine_that_fails_is_passed_over(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, script)
    monkeypatch.setattr(engines.shutil, "which", lambda name: str(tmp_path / "dot"))
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    with pytest.raises(LayoutFailed, match="dot failed"):
        engines.run("dot", small().source, "svg")
    assert small().pipe("svg").startswith(b"<svg")


@posix
def test_what_an_engine_prints_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    stand_in(tmp_path, "print('Fontconfig error', file=sys.stderr); print('<svg/>')")
    monkeypatch.setattr(engines.shutil, "which", lambda name: str(tmp_path / "dot"))
    assert small().pipe("svg") == b"<svg/>\n"
    assert capfd.readouterr() == ("", "")


def test_pygraphviz_hanging_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process, not the call, is what the limit ends."""
    if not engines.is_there("pygraphviz"):
        pytest.skip("pygraphviz is not installed here")
    monkeypatch.setattr(engines, "PYGRAPHVIZ", tmp_path / "slow.py")
    (tmp_path / "slow.py").write_text("import time; time.sleep(60)", encoding="utf-8")
    with pytest.raises(LayoutFailed, match="pygraphviz took longer"):
        engines.run("pygraphviz", small().source, "svg", limit=0.5)


def test_a_display_shows_the_text_where_even_the_own_writer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw(Value(1.0) + 1.0, engine="svg")
    monkeypatch.setattr("autograd.pictures.drawing.svg.write", lambda scene: 1 / 0)
    bundle = picture._repr_mimebundle_()
    assert "digraph" in bundle["text/plain"]
    assert "division by zero" in bundle["text/plain"]
    assert picture._repr_svg_() is None


def test_a_display_takes_the_types_asked_for() -> None:
    picture = draw(Value(1.0) + 1.0, engine="svg")
    assert picture._repr_mimebundle_(include=[]) == {}
    assert picture._repr_mimebundle_(exclude=["image/svg+xml"]) == {}
    assert list(picture._repr_mimebundle_(include=["image/svg+xml", "text/html"])) == ["image/svg+xml"]


# files


def test_render_writes_picture_and_text(tmp_path: Path) -> None:
    picture = draw(Value(1.0) + 1.0, engine="svg")
    path = picture.render(tmp_path / "a")
    assert Path(path) == tmp_path / "a.svg"
    assert (tmp_path / "a").read_text("utf-8") == picture.source
    path = picture.render("b.gv", directory=tmp_path, cleanup=True)
    assert Path(path) == tmp_path / "b.gv.svg"
    assert not (tmp_path / "b.gv").exists()
    path = picture.render(outfile=tmp_path / "c.svg", cleanup=True)
    assert Path(path).read_bytes() == picture.pipe("svg")
    with pytest.raises(graphviz.FileExistsError):
        picture.render(outfile=tmp_path / "c.svg", raise_if_result_exists=True)


def test_view_opens_what_was_rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = draw(Value(1.0) + 1.0, engine="svg")
    seen: list[str] = []
    monkeypatch.setattr(type(picture), "_view", lambda self, path, *, format, quiet: seen.append(path))
    picture.view(tmp_path / "a")
    assert seen == [str(tmp_path / "a.svg")]


@pytest.mark.usefixtures("no_engine")
def test_text_formats_need_no_engine(tmp_path: Path) -> None:
    picture = small()
    assert picture.write(tmp_path / "graph.dot").read_text("utf-8") == picture.source
    assert picture.write(tmp_path / "graph.mmd").read_text("utf-8") == picture.mermaid
    with pytest.raises(ValueError, match="no ending"):
        picture.write(tmp_path / "graph")


@pytest.mark.skipif(shutil.which("dot") is None, reason="the dot program is not installed here")
def test_another_layout_program_of_graphviz_can_be_used() -> None:
    assert b"<svg" in small().pipe("svg", engine="circo")
