# SPDX-License-Identifier: GPL-2.0
#
# The front door; the work is in lab/. "make" lists what there is.

.DEFAULT_GOAL := help

PHONY := help
help: ## this list
	@echo 'tcm_vhost: an in-kernel virtio-scsi target. make ...'
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		while IFS='|' read -r t d; do printf '%-20s %s\n' "$$t" "$$d"; done
	@echo 'make modules takes KERNEL=uml|debug|6.12|newest, make conformance 6.12 or newest.'
	@echo 'lab/run --help is about running one thing on such a host.'

PHONY += lab
lab: ## build the disposable host's root file system (a few minutes, once)
	@lab/build/rootfs

PHONY += lab-path
lab-path: ## print where the root file system lies
	@lab/build/rootfs --path

PHONY += shell
shell: uml ## a prompt on a disposable host, with the module loaded
	@lab/modules uml
	@lab/shell

PHONY += uml
uml: lab ## build User-Mode Linux, the host that most tests run on (5 minutes, once)
	@lab/build/kernel uml

PHONY += uml-path
uml-path: ## print where its image lies
	@lab/build/kernel uml --path

PHONY += debug-kernel
debug-kernel: lab ## build the kernel of debug-check (13 minutes, once)
	@lab/build/kernel debug

PHONY += debug-kernel-path
debug-kernel-path: ## print where its image lies
	@lab/build/kernel debug --path

PHONY += modules
ifneq ($(KDIR),)
modules:
	@lab/modules $(if $(filter 1 2,$(C)),--lint) --own "$(KDIR)" "$(or $(KSRC),$(KDIR))"
else
modules: $(if $(filter uml,$(KERNEL)),uml,lab) ## build the module; KERNEL=, C=1 lints, KDIR= KSRC= another kernel
	@lab/modules $(if $(filter 1 2,$(C)),--lint) $(KERNEL)
endif

PHONY += unit
unit: lab ## unit tests of the pure sources, with sanitizers (seconds)
	@lab/unit

PHONY += check
check: ## the tests that guard the main branch (5 to 15 minutes on two CPUs, as long again the first time)
	@lab/check

PHONY += check-all
check-all: ## check, then run_kselftest, the pages, fuzzing and all tests on both packaged kernels (an hour and a half)
	@lab/check-all

PHONY += debug-check
debug-check: ## the kselftests on two CPUs with KASAN and lockdep: races (half an hour)
	@lab/debug-check

PHONY += bench
bench: ## what a command costs, ours against the stock module, both kernels (a quarter of an hour); GUEST=1 a real guest's
	@lab/bench $(if $(filter 1,$(GUEST)),--guests)

PHONY += icount
icount: ## the same, but one read of 4 KiB only, alone and 32 in flight (2 minutes)
	@lab/bench read_32 read_1

PHONY += profile
profile: ## which function needs how many instructions of a command; KERNEL=6.12 or newest
	@lab/profile $(KERNEL)

PHONY += conformance
conformance: ## libiscsi's tests, ours against the stock module and LIO's loopback (15 minutes)
	@lab/conformance $(if $(KERNEL),--kernel $(KERNEL))

PHONY += peer
peer: ## what the stock module does otherwise, as a document (an hour, then seconds)
	@lab/peer

PHONY += docs
docs: lab ## the pages as HTML, by the kernel's own tools, without a warning (a minute)
	@lab/docs

PHONY += demo
demo: ## a guest does its I/O through the module, before your eyes (a minute)
	@lab/demo

PHONY += lint
lint: lab ## shellcheck, checkpatch, kernel-doc, spelling, lengths, direction of calls, reasons
	@lab/lint

PHONY += install
install: ## build for the running kernel and install (real host, root)
	@lab/install

PHONY += uninstall
uninstall: ## go back to the distribution's module
	@lab/install --uninstall

PHONY += clean
clean: ## remove build/; the cache stays
	rm -rf build

.DEFAULT:
	@echo "make: there is no '$@' here: 'make help' lists what there is" >&2; exit 2

.PHONY: $(PHONY)
