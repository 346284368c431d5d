# make demo   environment, rendered people, a short SAIP pretraining, pictures
# make test   environment with every library, the whole suite
SHELL := /bin/bash
PYTHON := .venv/bin/python
CONFIG := configs/saip/demo_starnet_s3.py
WORK := work_dirs/demo
LOOK := $(PYTHON) tools/visualize.py

.PHONY: demo test lint

# Threads that wait turn 20 000 times before they sleep, not 300 000: where
# another program takes a core a step lasts 3 s, not 20; elsewhere 5 % longer.
demo: export GOMP_SPINCOUNT ?= 20000
demo:
	tools/setup_env.sh core
	$(PYTHON) tools/dataset_converters/make_synthetic_people.py \
		data/synthetic --formats luperson --size tiny
	$(PYTHON) tools/dataset_converters/make_synthetic_people.py \
		data/synthetic_small --formats market1501 --size small
	$(PYTHON) tools/train.py $(CONFIG) --work-dir $(WORK)
	$(LOOK) views $(CONFIG) --out $(WORK)/views.png
	$(LOOK) reconstruction $(CONFIG) $$(cat $(WORK)/last_checkpoint) \
		--out $(WORK)/reconstruction.png
	$(LOOK) search $(CONFIG) $$(cat $(WORK)/last_checkpoint) \
		--out $(WORK)/search.png
	@ls $(WORK)/*.png
	$(PYTHON) tools/knn_report.py $(CONFIG) $(WORK)

test:
	tools/setup_env.sh all
	$(PYTHON) -m pytest -n auto --dist worksteal

lint:
	$(PYTHON) -m flake8 .
	$(PYTHON) -m isort --check-only .
	$(PYTHON) -m yapf --diff --recursive saip_mm tools tests configs setup.py
