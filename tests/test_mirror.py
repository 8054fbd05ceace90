"""The tests mirror what they test: a file of tests is found by the name of the file that it is about."""

from __future__ import annotations

from pathlib import Path

import autograd

ROOT = Path(autograd.__file__).parents[1]

#: The files of tests that are about no one file, and what they are about instead.
CROSSING = {
    "checking/test_random_wrong_rules": "all of the checks: none misses a wrong rule",
    "checking/test_right_rules": "all of the checks: none accuses a right rule",
    "checking/test_wrong_rules": "all of the checks: what each says of a wrong rule",
    "compiled/backends/test_agreement": "all back ends, which are to give the same bits",
    "compiled/backends/test_missing_packages": "all back ends, where what they need is missing",
    "compiled/recording/test_recording_rules": "recording, as users see it",
    "compiled/recording/test_reads": "all that could take a number out of a recording",
    "compiled/test_loops": "recorded loops, from the recorder to all back ends",
    "compiled/test_memory": "compiled functions, called many times",
    "nn/test_models_of_ones_own": "modules of users, and the files of saved models",
    "nn/training/test_fit_options": "the options of `fit`, and what they reach",
    "nn/training/test_trajectories": "optimizers, clipping and schedules, beside PyTorch's",
    "notebooks/test_notebooks_in_jupyterlab": "the notebooks, inside of the editor",
    "number_systems/test_agreement": "all number systems, which are to give the same numbers",
    "number_systems/test_contract": "all number systems: each has every row, or says why not",
    "pictures/page/test_numbers": "the page and what Python prints: the same numbers",
    "pictures/page/test_page_in_jupyterlab": "the page, inside of the editor",
    "seeds/test_derivations": "textbooks: their equations, derived",
    "seeds/test_matrix_network": "textbooks: layers as matrices",
    "seeds/test_scalar_network": "textbooks: a network of scalars",
    "seeds/test_three_layer_network": "textbooks: three layers over many samples",
    "test_backward": "`backward()`: values, walks, pull-backs",
    "test_digits": "all ways to a number: the digits that they keep",
    "test_formulas": "the table: its formulas in all systems",
    "test_growth": "all that walks graphs: what it costs as they grow",
    "test_house": "the house: what no linter sees",
    "test_imports": "the packages: what importing them costs and gives",
    "test_inner_derivatives": "derivatives that compiled functions take themselves, on all back ends",
    "test_kinks": "the table: where it says that kinks are",
    "test_machine": "`Value` and `backward()`, in any order of use",
    "test_mirror": "the tests",
    "test_new_row": "all that a row of the table goes through",
    "test_one_answer_of_compositions": "the table: compositions of its rows, which are to have one slope each",
    "test_one_answer_in_systems": "all number systems, which are to give the same at every point",
    "test_one_answer": "all ways to a derivative, which are to give the same",
    "test_promises": "what users of other engines trip over",
    "test_readme": "the README",
    "test_threads": "all that threads may do at the same time",
}


def homes(test: str) -> list[Path]:
    """The files and folders that a file of tests may be about: ``eager/test_nodes`` about ``autograd/eager/nodes.py``.

    A number system may end in ``_``. What stands beside the tests is tested too, and a folder by a file of its name.
    """
    folder, _, name = test.rpartition("test_")
    places = [ROOT / "autograd" / folder, ROOT / folder, ROOT / "tests" / folder]
    of_the_folder = [ROOT / "tests" / folder] if Path(folder).name == name else []
    return of_the_folder + [place / end for place in places for end in (f"{name}.py", f"{name}_.py", name)]


def without_a_home(tests: list[str]) -> list[str]:
    return [test for test in tests if not any(home.exists() for home in homes(test))]


def test_every_file_of_tests_is_about_one_file_or_says_what_it_crosses() -> None:
    tests = [path.relative_to(ROOT / "tests").with_suffix("").as_posix() for path in ROOT.glob("tests/**/test_*.py")]
    assert sorted(without_a_home(tests)) == sorted(CROSSING)


def test_a_file_of_another_name_would_be_noticed() -> None:
    right = ["eager/test_nodes", "nn/training/test_fit", "number_systems/test_complex", "test_benchmarks", "test_rows"]
    assert without_a_home([*right, "eager/test_fit", "test_nodes"]) == ["eager/test_fit", "test_nodes"]
