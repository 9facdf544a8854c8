# The two commands of the README. Both make their own virtual environment in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint types unit roundtrip fuzz clean

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[test,demo,video,mysql,text,clip,describers,moondream]"
	@touch $@

demo: $(STAMP)
	@$(BIN)/python -m demo

test: lint types unit

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

unit: $(STAMP)
	$(BIN)/python -m pytest -n 2

# Keywords into every sidecar and picture of these folders and out again, with exiftool and exiv2 as witnesses.
roundtrip: $(STAMP)
	@$(BIN)/python -m benchmarks.metadata_roundtrip $(FOLDERS)

# Coverage-guided fuzzing of reading and merging keywords, for SECONDS.
SECONDS ?= 60
fuzz: $(STAMP)
	$(BIN)/python -m pip install --quiet --editable ".[fuzz]"
	$(BIN)/python tests/fuzz/fuzz_metadata.py --seconds $(SECONDS)

clean:
	rm -rf $(VENV) .demo
