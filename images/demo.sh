#!/bin/bash
# Builds, verifies and invokes a real function for both CPUs, with what this machine has; `make demo` calls it.
# ENGINE: docker or podman, whose lab images `make demo ENGINE=docker` has made before; local; or "" to choose.
set -euo pipefail
cd "$(dirname "$0")/.."
run=${RUN:-.venv/bin/}lambdapack
example=examples/thumbnail

# What may be pulled is asked for a limited time, and its failure is none of the demo's.
official() {
  for cpu in x86_64 arm64; do
    timeout 30 docker pull --quiet "public.ecr.aws/lambda/nodejs:22-$cpu" || return 1
  done
}

has_lab() {
  docker image inspect lambdapack-lab/nodejs:22-{x86_64,arm64}
}

engine=${ENGINE:-}
if [ -z "$engine" ]; then
  engine=local
  if command -v docker && timeout 20 docker version; then
    if has_lab; then
      engine=docker
    elif official; then
      engine=docker
      unset LAMBDAPACK_IMAGE LAMBDAPACK_BUILD_IMAGE
    fi
  fi > /dev/null 2>&1
fi
case $engine in
  local) echo "demo: no container engine with a runtime image: everything runs on this host (--engine local)" ;;
  *) echo "demo: $engine has the runtime images: everything runs in containers (make demo ENGINE=local needs none)" ;;
esac

case $(uname -m) in aarch64 | arm64) own=arm64 other=x86_64 ;; *) own=x86_64 other=arm64 ;; esac
zip() { echo "$example/.lambdapack/thumbnail-nodejs22.x-$1.zip"; }

"$run" build "$example" --arch all --engine "$engine"
"$run" invoke "$(zip $own)" --event "$example/event.json" --engine "$engine"
if [ "$engine" != local ] && "$run" doctor "$example" --arch $other --engine "$engine" --no-aws --quiet > /dev/null; then
  "$run" invoke "$(zip $other)" --event "$example/event.json" --engine "$engine"
fi
echo "The deployment packages:"
ls -1 "$example"/.lambdapack/*.zip
