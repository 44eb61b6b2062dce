# Written by `lambdapack init --makefile`; yours to change. For GNU make 3.81 and newer, and any POSIX shell.
#
#   make package                         the deployment package, made only when something in it changed
#   make verify                          judge it again
#   make deploy FUNCTION=name            publish it as the function's next version and move the alias
#   make .lambdapack/layer.arn           publish its dependencies as a layer
LAMBDAPACK ?= lambdapack
RUNTIME    ?= @{runtime}
ARCH       ?= @{arch}
ALIAS      ?= live
PACKAGE    := .lambdapack/@{name}-$(RUNTIME)-$(ARCH).zip

# All that may ship. Directories are in it because their times tell of files that were removed.
INPUTS := $(shell find . @{pruned} -prune -o -print | sed 's/ /\\ /g')

.PHONY: package verify deploy
package: $(PACKAGE)

$(PACKAGE): $(INPUTS)
	$(LAMBDAPACK) build --runtime $(RUNTIME) --arch $(ARCH) --output $@

verify: $(PACKAGE)
	$(LAMBDAPACK) verify $(PACKAGE)

deploy: $(PACKAGE)
	$(LAMBDAPACK) deploy $(PACKAGE) --function $(FUNCTION) --alias $(ALIAS)

# A file target: $(shell ...) would lose the exit status of a layer that was refused.
.lambdapack/layer.arn: package.json package-lock.json
	@mkdir -p $(@D)
	$(LAMBDAPACK) publish-layer --name @{name} --runtime $(RUNTIME) --arch $(ARCH) > $@.tmp && mv $@.tmp $@
