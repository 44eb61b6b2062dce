# Written by `lambdapack init --sam` from template.yaml: `sam build` runs these targets for resources with
#   Metadata:
#     BuildMethod: makefile
# Runtime and architecture are literal because sam tells neither; a template that says otherwise is refused.
LAMBDAPACK ?= lambdapack

# sam works in a copy of the sources; these are the sources themselves, beside the Makefile that it was given.
SOURCES := $(shell makefiles="$(strip $(MAKEFILE_LIST))"; dirname "$${makefiles% lambdapack-sam.mk}")

.PHONY: build-Thumbnail
build-Thumbnail:
	$(LAMBDAPACK) build "$(SOURCES)" --runtime nodejs22.x --arch arm64 --into "$(ARTIFACTS_DIR)"
