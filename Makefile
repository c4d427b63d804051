# Two commands from a bare clone: `make demo` and `make test`. Both set themselves up in .venv first.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
RUN := $(VENV)/bin/python
SET_UP := $(RUN) -I autograde/authoring/set_up.py
export PYTHONWARNINGS := ignore::DeprecationWarning
export MPLBACKEND := agg
unexport PYTHONDONTWRITEBYTECODE  # a hundred processes of a run of tests would each compile the course's modules

.PHONY: help demo dev test test-more test-all test-gpu fuzz verify strength build measure check-built site slides lab lint lock clean

help:
	@echo "make demo      set up, build a sample class, grade it, show the table and the feedback pages"
	@echo "make test      set up and run the quick tests (minutes)"
	@echo "make test-more what the line above leaves out and every landing waits for: a class of cheats, full disks, releases (minutes)"
	@echo "make test-all  test-more, and what takes a minute or more by itself: browsers, kills at every write, hostile classes, new installations"
	@echo "make fuzz      random messages and files, for an hour; other ones than last time"
	@echo "make test-gpu  on a machine with a GPU: what the pretended one is held to, the device checks and the training, on the real one (a minute)"
	@echo "make verify    execute every lesson three ways, and what the texts claim on fresh seeds (an hour); before a version changes"
	@echo "make lab       open the course in JupyterLab"
	@echo "make measure 02  measure the numbers that lesson 02's text tells (minutes), for docs/measured/"
	@echo "make build     make the notebooks from the sources in solutions/"
	@echo "make site      build the course's pages in site/, to read without a server or a network"
	@echo "make slides    write the lessons as slides in slides/, with speaker notes, to show without a network"
	@echo "make strength  try the checks on every known wrong answer"
	@echo "make dev       set up what contributors need: the tests' packages, ruff"

demo: $(VENV)/.ready
	@$(RUN) -m autograde demo

dev: $(VENV)/.ready-dev

# Two processes at a time, or PROCESSES=n; tests that share what takes long to make run in one of them (tests/conftest.py).
PROCESSES ?= 2
PYTEST := $(RUN) -m pytest -n $(PROCESSES) --durations=15

test: $(VENV)/.ready-dev
	@$(PYTEST) -m "not slow"

test-more: $(VENV)/.ready-dev
	@$(PYTEST) -m "slow and not soak and not executes"

test-all: $(VENV)/.ready-dev
	@$(PYTEST) -o faulthandler_timeout=1200 -m "slow and not executes"

# An hour for five fuzzers; what they find is printed as FUZZ_SEED=…, which goes through the same again. The seconds are of processor time, so a
# fuzzer on a busy machine is given ten times as long before it is taken for one that hangs.
FUZZ_SECONDS ?= 720
fuzz: $(VENV)/.ready-dev
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)000} $(RUN) -m pytest -q -o faulthandler_timeout=$$(($(FUZZ_SECONDS) * 10 + 300)) tests/grader/test_fuzz.py

# The only tests that see this machine's GPU (tests/conftest.py).
test-gpu: $(VENV)/.ready-dev
	@COURSE_TEST_GPU=1 $(PYTEST) tests/checking/test_pretend_gpu.py tests/checking/test_on_gpu.py tests/utils/test_training_on_card.py

# Every lesson executed three ways, whatever the digests say, and what the texts claim on fresh seeds; then notes in the notebooks that it was.
verify: $(VENV)/.ready-dev
	@$(PYTEST) --every-lesson -m executes -o faulthandler_timeout=3600 && $(RUN) -m autograde build --verified

strength: $(VENV)/.ready
	@$(RUN) -m autograde strength

build: $(VENV)/.ready
	@$(RUN) -m autograde build

# `make measure 02`: the words behind `measure` are lessons, not targets.
ifeq (measure,$(firstword $(MAKECMDGOALS)))
MEASURED := $(wordlist 2,99,$(MAKECMDGOALS))
.PHONY: $(MEASURED)
$(MEASURED): ; @:
endif
measure: $(VENV)/.ready
	@$(RUN) -m autograde measure $(MEASURED)

check-built: $(VENV)/.ready
	@$(RUN) -m autograde build --check

site: $(VENV)/.ready-site
	@$(RUN) -m autograde.site --out site

slides: $(VENV)/.ready-site
	@$(RUN) -m autograde.site --slides

# With MPLBACKEND set, notebooks would show no figures; formgrader runs alembic by name. LAB holds more options, such as --no-browser.
lab: $(VENV)/.ready
	@$(RUN) -m autograde.authoring.lab_folders
	@unset MPLBACKEND; PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(RUN) -m jupyter lab notebooks $(LAB)

lint: $(VENV)/.ready-dev
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check autograde utils tests benchmarks
	@$(RUN) -m mypy

# One lock file for everything: exact versions as constraints, so that the extras stay optional.
lock: $(VENV)/.ready-dev
	@$(RUN) -m pip freeze --exclude-editable --exclude attention-course | sed 's/^torch==\([0-9.]*\)+.*/torch==\1/' > requirements.lock

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11 or newer; none was found. Set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python cannot make a virtual environment (on Debian: apt-get install python3-venv)"; exit 1; }

$(VENV)/.ready: pyproject.toml requirements.lock | $(VENV)/bin/python
	@echo "Setting up (once, 2 to 5 minutes) …"
	@$(SET_UP) -c requirements.lock -e .
	@touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	@echo "Setting up what only the tests need (once) …"
	@$(SET_UP) -c requirements.lock -e '.[dev]'
	@touch $@

$(VENV)/.ready-site: $(VENV)/.ready
	@echo "Setting up what only the site needs (once) …"
	@$(SET_UP) -c requirements.lock -e '.[site]'
	@touch $@

clean:
	rm -rf $(VENV) demo build release site slides *.egg-info
