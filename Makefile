# Every task of the project. `make` alone lists them.
#
#   PYTHON=...   the Python, 3.11 or newer, to make the environment from
#   ARGS=...     more arguments for the command that the task runs

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types layers tables bench notebooks jupyterlab thorough lowest differential mutants peers clean FORCE

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: .venv/made-for ## make or update .venv; the tasks below do so by themselves

demo: setup ## train on iris and on moons, draw a neuron, say where the pictures are
	.venv/bin/valuegrad demo --out build/demo $(ARGS)

test: setup ## run the tests
	.venv/bin/python -m pytest -n 2 -q $(ARGS)

check: lint types layers test ## run all that a change must pass

lint: setup ## look for mistakes, and at the format, with ruff
	.venv/bin/ruff check
	.venv/bin/ruff format --check

types: setup ## check the types with mypy
	.venv/bin/mypy

layers: setup ## check that imports point down
	.venv/bin/lint-imports --no-cache

tables: setup ## write anew what is spelled out of the table of primitives: page, functions, methods, names
	.venv/bin/python -m autograd.reference

bench: setup ## measure against other engines
	.venv/bin/python -m benchmarks $(ARGS)

notebooks: setup ## execute the notebooks
	.venv/bin/python -m pytest -n 2 -q tests/notebooks $(ARGS)

jupyterlab: setup ## add JupyterLab to .venv and run the tests that need it
	@folder=.venv constraints=constraints.txt right=yes extras=dev,lab sh -c "$$ENVIRONMENT"
	.venv/bin/python -m pytest -q -k jupyterlab tests/pictures tests/notebooks $(ARGS)

thorough: setup ## run the tests with many more random examples, and faults at many more moments
	HYPOTHESIS_PROFILE=thorough .venv/bin/python -m pytest -n 2 -q $(ARGS)

lowest: .venv-lowest/made-for ## run the tests with the oldest dependencies allowed
	.venv-lowest/bin/python -m pytest -n 2 -q $(ARGS)

differential: setup ## run random programs at nasty points in every way, and compare all bits
	.venv/bin/python -m tests.differential $(ARGS)

mutants: setup ## count the mistakes, made on purpose, that the tests notice
	.venv/bin/python -m tests.mutants $(ARGS)

peers: .venv-peers/made-for ## compare gradients of random expressions with PyTorch's and JAX's
	.venv-peers/bin/python -m tests.peers $(ARGS)

clean: ## remove all that the other tasks made
	rm -rf .venv .venv-lowest .venv-peers .venv*.log build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- environments ----
# FOLDER/made-for is written last, so an interrupted set-up leaves none and is started afresh. It records the
# folder (an environment does not survive a move) and the PYTHON asked for.

define IS_RIGHT
$(shell exec 2>/dev/null; [ -x $(1)/bin/python ] && \
	{ read -r place && read -r asked; } <$(1)/made-for && \
	[ "$$place" = "$$(pwd -P)" ] && { [ -z "$(PYTHON)" ] || [ "$$asked" = "$(PYTHON)" ]; } && echo yes)
endef

.venv/made-for: pyproject.toml constraints.txt $(if $(call IS_RIGHT,.venv),,FORCE)
	@folder=.venv constraints=constraints.txt right=$(call IS_RIGHT,.venv) sh -c "$$ENVIRONMENT"

.venv-lowest/made-for: pyproject.toml build/lowest.txt $(if $(call IS_RIGHT,.venv-lowest),,FORCE)
	@folder=.venv-lowest constraints=build/lowest.txt right=$(call IS_RIGHT,.venv-lowest) sh -c "$$ENVIRONMENT"

.venv-peers/made-for: pyproject.toml constraints.txt tests/peers/requirements.txt $(if $(call IS_RIGHT,.venv-peers),,FORCE)
	@folder=.venv-peers constraints=constraints.txt right=$(call IS_RIGHT,.venv-peers) \
		more='-r tests/peers/requirements.txt' sh -c "$$ENVIRONMENT"

# The lower bounds of pyproject.toml as exact versions. The oldest Matplotlib calls what pyparsing 3.3 deprecates, and the
# tests take a warning for an error.
build/lowest.txt: pyproject.toml Makefile
	@mkdir -p build
	@echo 'pyparsing<3.3' >$@
	@sed -n 's/^ *"\([a-z-]*\)>=\([0-9.]*\)".*/\1==\2/p; s/^requires = \["hatchling>=\(.*\)"\]/hatchling==\1/p' \
		pyproject.toml | sort -u >>$@

define ENVIRONMENT
set -eu

# The first that is new enough; from inside an environment, the one which that was made from, as it may be removed below.
base='import sys; sys.version_info >= (3, 11) or sys.exit(1); print(getattr(sys, "_base_executable", sys.executable))'
python=
for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do
    python=$$("$$candidate" -c "$$base" 2>/dev/null) && break
done
if [ -z "$$python" ]; then
    echo "valuegrad needs Python 3.11 or newer; $(if $(PYTHON),'$(PYTHON)' is not one,there is none on the PATH)." >&2
    echo "Install one, or name one: make setup PYTHON=python3.11" >&2
    exit 1
fi

[ "$$right" = yes ] || rm -rf "$$folder"
rm -f "$$folder/made-for"
echo "Setting up $$folder with $$("$$python" -V): a minute or so the first time."

with_uv() {
    { [ -x "$$folder/bin/python" ] || uv venv --quiet --python "$$python" "$$folder"; } &&
    uv pip install --quiet --python "$$folder/bin/python" --compile-bytecode \
        --constraint "$$constraints" --build-constraint "$$constraints" --editable ".[$${extras:-dev}]" $${more-}
}

with_pip() {
    "$$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear "$$folder"
    # pip passes the first variable on to the build of the package up to version 25.2, the second since.
    PIP_CONSTRAINT="$$constraints" PIP_BUILD_CONSTRAINT="$$constraints" \
        "$$folder/bin/python" -m pip --disable-pip-version-check -qq install --editable ".[$${extras:-dev}]" $${more-}
}

if ! command -v uv >/dev/null; then
    with_pip
elif ! with_uv 2>"$$folder.log"; then
    echo "uv failed ($$(head -n 1 "$$folder.log")), so pip installs." >&2
    with_pip
fi
rm -f "$$folder.log"
{ pwd -P; echo '$(PYTHON)'; } >"$$folder/made-for"
endef
export ENVIRONMENT

FORCE:
