# Everything a person types stands here; `make` alone lists it.
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint types style tools bench-demo bench-prefill bench-judge bench-canaries bench-prepare bench-intervals bench-coverage bench-board bench-site bench-visit bench-load bench-faults screenshots lock clean
PYTHON := .venv/bin/python
# How many processes share the tests, file by file. Each may hold a model or two, some 6 GB of memory; their engines are
# not bound to cores, or all of them would take the same one. A thread that waits for its siblings sleeps: spinning, as
# it would, it takes the core that another process's engine needs.
TEST_PROCESSES ?= 3

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Create .venv from the lock files and convert the demo model (seconds, if done before)
	@scripts/setup.sh

demo: setup ## Run the whole leaderboard on this machine and evaluate a real model
	@.venv/bin/rapport demo

lint: setup ## Check style, types and the layers
	@$(MAKE) --no-print-directory --jobs 2 types style

test: setup ## Check everything and run all tests
	@$(MAKE) --no-print-directory --jobs 2 types style tools
	@VLLM_CPU_OMP_THREADS_BIND=nobind OMP_WAIT_POLICY=PASSIVE $(PYTHON) -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# Checking types takes one core as long as all else takes another.
types:
	@$(PYTHON) -m mypy

style:
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@.venv/bin/lint-imports

tools:
	@scripts/browser.sh
	@scripts/faketime.sh

bench-demo: setup ## Time the headless demo
	@$(PYTHON) -m benchmarks.demo

bench-prefill: setup ## Compare prefilling each history once with the published loop and with file order (20 minutes)
	@$(PYTHON) -m benchmarks.prefill

bench-judge: setup ## Compare judging with a bare LLM.chat call, and plan a re-score of 1,000 runs (10 minutes, 4 GB of disk)
	@VLLM_CPU_OMP_THREADS_BIND=nobind $(PYTHON) -m benchmarks.judge

bench-canaries: setup ## Ask judges of known noise about the canaries of judges that compare (5 minutes)
	@$(PYTHON) -m benchmarks.canaries

bench-prepare: setup ## Stream the 20,000 prompts of a full-size set, and of sets two and four times as large
	@$(PYTHON) -m benchmarks.prepare

bench-intervals: setup ## Simulate boards of known truth and see what the intervals cover
	@$(PYTHON) -m benchmarks.intervals

bench-coverage: setup ## Simulate annotators and models of known skill and see what the human suite's intervals cover
	@$(PYTHON) -m benchmarks.coverage

bench-board: setup ## Build boards of 100, 1,000 and 10,000 models, anew and for one model more (half an hour, 6 GB of disk)
	@$(PYTHON) -m benchmarks.board

bench-site: setup ## Time the pages of 1,000 and 10,000 models in a browser, beside a bare page of Gradio (half an hour)
	@scripts/browser.sh
	@$(PYTHON) -m benchmarks.site

bench-visit: setup ## Walk a newcomer's ways through the site in a browser, and count clicks and seconds
	@scripts/browser.sh
	@$(PYTHON) -m benchmarks.visitor

bench-load: setup ## Send 1,000 submissions of 200 users through the whole service, with 10,000 in its history
	@$(PYTHON) -m benchmarks.load

bench-faults: setup ## Do 500 random faults, 20 of them under a real model, and account for everything (an hour)
	@scripts/faketime.sh
	@$(PYTHON) -m benchmarks.faults

screenshots: setup ## Make the pictures in docs anew
	@scripts/browser.sh
	@SCREENSHOTS=docs $(PYTHON) -m pytest tests/browse/test_accessible.py -k pictures

lock: ## Resolve the lock files anew (needs uv)
	@scripts/lock.sh

clean: ## Remove the environment and caches; keeps ./data
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
