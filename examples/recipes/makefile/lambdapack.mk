# Written by `lambdapack init --makefile`; yours to change. For GNU make 3.81 and newer, and any POSIX shell.
#
#   make package                         the deployment package, made only when something in it changed
#   make verify                          judge it again
#   make deploy FUNCTION=name            publish it as the function's next version and move the alias
#   make .lambdapack/layer.arn           publish its dependencies as a layer
LAMBDAPACK ?= lambdapack
RUNTIME    ?= nodejs22.x
ARCH       ?= arm64
ALIAS      ?= live
PACKAGE    := .lambdapack/thumbnail-$(RUNTIME)-$(ARCH).zip

# All that may ship. Directories are in it because their times tell of files that were removed.
INPUTS := $(shell find . \( -name node_modules -o -name .git -o -name .hg -o -name .svn -o -name .bzr -o -name .jj -o -name _darcs -o -name CVS -o -name .lambdapack -o -name .aws-sam -o -name .serverless -o -name cdk.out -o -name .terraform -o -name .venv \) -prune -o -print | sed 's/ /\\ /g')

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
	$(LAMBDAPACK) publish-layer --name thumbnail --runtime $(RUNTIME) --arch $(ARCH) > $@.tmp && mv $@.tmp $@
