#!/bin/sh
# Starts the runtime for the handler that is the only argument. Outside Lambda nobody serves the Runtime API,
# so the emulator does. The message and 142 are the official entrypoint's.

if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" >&2
  exit 142
fi
export _HANDLER="$1"

if [ -z "${AWS_LAMBDA_RUNTIME_API}" ]; then
  exec /usr/local/bin/aws-lambda-rie /var/runtime/bootstrap
fi
exec /var/runtime/bootstrap
