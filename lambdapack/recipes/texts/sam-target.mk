
.PHONY: build-@{resource}
build-@{resource}:
	$(LAMBDAPACK) build "$(SOURCES)"@{layer} --runtime @{runtime} --arch @{arch} --into "$(ARTIFACTS_DIR)"
