#!/bin/sh
# packages.sh NAME...: make sure that what these Debian packages bring is on this host. Silent when it is.
# Says what it will install before it does. Exit 3 when something is missing and cannot be installed from here.
set -eu

say() { echo "packages: $*" >&2; }

# Whether it came from a package does not matter: a docker or python of another origin is left alone.
present() {
  case "$1" in
    bubblewrap) command -v bwrap ;;
    docker.io) command -v dockerd && command -v docker ;;
    qemu-user-static) command -v qemu-aarch64-static && command -v qemu-x86_64-static ;;
    binfmt-support) command -v update-binfmts ;;
    python3-venv) "${PYTHON:-python3}" -c 'import ensurepip, venv' ;;
    libc6-dev) test -e /usr/include/stdio.h || test "$(uname -s)" != Linux ;;
    debian-archive-keyring) test -e /usr/share/keyrings/debian-archive-keyring.gpg ;;
    ca-certificates) test -e /etc/ssl/certs/ca-certificates.crt ;;
    *) command -v "$1" || { command -v dpkg-query && dpkg-query -W -f '${db:Status-Status}' "$1" | grep -qx installed; } ;;
  esac >/dev/null 2>&1
}

missing=
for name in "$@"; do
  present "$name" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  say "missing here:$missing (names of Debian packages; this host has no apt-get, install their like yourself)"
  exit 3
fi
if [ "$(id -u)" -ne 0 ]; then
  say "missing here: run as root: apt-get install$missing"
  exit 3
fi

say "installing with apt-get, without recommended packages:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086  # a list of names
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
  say "apt-get failed; its last lines:"
  tail -n 15 "$log" >&2
  exit 3
fi
