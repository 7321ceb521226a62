# Two commands matter: `make demo` and `make test`. Everything else is a part of them or a convenience.
PYTHON ?= python3
BIN := .venv/bin
export OMP_NUM_THREADS ?= 2

.PHONY: help setup demo serve test check bench soak report docs clean

help:  ## Say what each target does
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 10

.venv/.installed: pyproject.toml constraints.txt
	@echo "== setting up .venv (once; a minute or two) =="
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "found Python %d.%d, needed 3.11 to 3.13: make PYTHON=python3.12 …" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

setup: .venv/.installed  ## Create .venv with the command acerto in it

demo: setup  ## From nothing to a running service: simulate, train, decide, report, serve
	@$(BIN)/acerto demo

serve: setup  ## Serve the champion on 127.0.0.1:3000
	@$(BIN)/acerto serve --insecure

test: setup check  ## Everything that CI checks: style, types, layers, tests, a small run end to end
	@echo "== tests =="
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: setup  ## Style, types and layers only
	@echo "== style =="
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== types =="
	@$(BIN)/mypy
	@echo "== layers =="
	@$(BIN)/lint-imports --no-cache

bench: setup  ## The measurements of benchmarks/README.md
	@$(BIN)/python benchmarks/bench_features.py
	@$(BIN)/python benchmarks/bench_ope.py
	@$(BIN)/python benchmarks/bench_sizes.py
	@$(BIN)/python benchmarks/bench_allocation.py
	@$(BIN)/python benchmarks/bench_requests.py
	@$(BIN)/python benchmarks/bench_shap.py

soak: setup  ## The long forms of the measurements in the tests
	@ACERTO_SOAK=1 $(BIN)/python -m pytest tests/features tests/training/ope tests/decisioning/allocation --durations=12
	@ACERTO_SOAK=1 $(BIN)/python -m pytest tests/decisioning/test_policy_proof.py -s --durations=12
	@$(BIN)/python benchmarks/soak_store.py
	@$(BIN)/python benchmarks/soak_disk.py
	@$(BIN)/python benchmarks/soak_bundles.py
	@$(BIN)/python benchmarks/soak_swap.py
	@$(BIN)/python benchmarks/soak_drain.py
	@$(BIN)/python benchmarks/soak_once.py
	@$(BIN)/python benchmarks/soak_canaries.py
	@$(BIN)/python benchmarks/soak_days.py
	@$(BIN)/python benchmarks/soak_fuzz.py
	@$(BIN)/python benchmarks/soak_mutants.py
	@$(BIN)/python benchmarks/soak_gates.py --workers 2
	@$(BIN)/python benchmarks/soak_flaws.py --jobs 2 --out benchmarks/soak_flaws.txt
	@$(BIN)/python benchmarks/soak_drift.py --jobs 2 --clean 200 --out benchmarks/soak_drift.txt
	@$(BIN)/python benchmarks/bench_load.py

report: setup  ## The risk report of the champion, in reports/
	@$(BIN)/acerto report --out reports

docs: setup  ## Write the generated documents: features, contact policy and API
	@$(BIN)/acerto features --docs

clean:  ## Remove what the commands made, but neither .venv nor the store of the service
	@rm -rf demo reports build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find mlruns -mindepth 1 ! -name README.md ! -name "acerto.db*" -delete
