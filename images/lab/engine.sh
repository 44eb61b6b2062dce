#!/bin/sh
# engine.sh [--podman]: make the container engine ready for the lab: daemon, and emulator of the other CPU.
# Does nothing where all of it answers already. Installs and starts only on Debian as root, and says so before.
# With --podman also podman's service, whose address is the one line on stdout. Exit 3: what is missing is said.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
podman_socket=/run/lambdapack-podman.sock
seconds=60 # that a daemon may take until it answers

say() { echo "engine: $*" >&2; }
fail() {
  say "$*"
  exit 3
}

answers() { docker version >/dev/null 2>&1; } # asks the server too

# start NAME COMMAND...: run detached from this terminal, with a log
start() {
  log=/var/log/lambdapack-$1.log
  shift
  say "starting $* (log: $log)"
  # From /: the container runtime leaves a file named "oom" in the directory it was started in.
  (cd / && exec setsid nohup "$@" >"$log" 2>&1 </dev/null) &
  pid=$!
}

# A process that ended stays a zombie until this shell is done.
runs() { [ -e "/proc/$1/stat" ] && ! grep -q '^[0-9]* (.*) Z' "/proc/$1/stat"; }

# wait_for WHAT COMMAND...: until the command succeeds; gives up when the process started last is gone
wait_for() {
  what=$1
  shift
  tries=$((seconds * 5))
  until "$@"; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ] || ! runs "$pid"; then
      say "$what does not answer; the end of its log:"
      tail -n 20 "$log" >&2
      exit 3
    fi
    sleep 0.2
  done
}

start_daemon() {
  if [ -d /run/systemd/system ]; then
    say "starting docker by systemd"
    systemctl start docker || fail "systemctl start docker failed: see journalctl -u docker"
    answers || fail "docker runs by systemd and does not answer: see journalctl -u docker"
    return
  fi
  # Left by a machine that was switched off, the file makes dockerd refuse when the number is in use again.
  old=/var/run/docker.pid
  if [ -e $old ] && [ "$(cat "/proc/$(cat $old)/comm" 2>/dev/null)" != dockerd ]; then rm -f $old; fi
  start dockerd dockerd
  wait_for dockerd answers
}

make_daemon_answer() {
  if answers; then return; fi
  case "$(docker version 2>&1 || true)" in
    *"permission denied"*) fail "an engine runs, but not for $(id -un): run as root, or join its group (docker)" ;;
  esac
  if [ -n "${DOCKER_HOST:-}" ]; then fail "nothing answers at DOCKER_HOST=$DOCKER_HOST: start it, or unset DOCKER_HOST"; fi
  if [ "$(uname -s)" != Linux ]; then fail "no engine answers: start Docker Desktop, colima or a podman machine"; fi
  "$here/packages.sh" docker.io iptables ca-certificates || exit 3
  if answers; then return; fi # the package starts it where systemd runs
  if [ "$(id -u)" -ne 0 ]; then fail "no engine answers: run as root: dockerd (or systemctl start docker)"; fi
  start_daemon
}

# The kernel starts qemu for binaries of the other CPU. Only flag F makes that work inside containers.
emulates() { [ -e "$binfmt/$1" ] && grep -qx enabled "$binfmt/$1" && grep -q '^flags:.*F' "$binfmt/$1"; }

make_emulator_answer() {
  if [ "$(uname -s)" != Linux ]; then return; fi # the engine's virtual machine brings its own
  case "${DOCKER_HOST:-unix:}" in unix:*) ;; *) return ;; esac
  binfmt=/proc/sys/fs/binfmt_misc
  case "$(uname -m)" in
    x86_64) other=qemu-aarch64 ;;
    aarch64) other=qemu-x86_64 ;;
    *) fail "the lab has images for x86_64 and arm64 only; this is $(uname -m)" ;;
  esac
  if emulates "$other"; then return; fi
  "$here/packages.sh" qemu-user-static binfmt-support || exit 3
  if emulates "$other"; then return; fi
  if [ "$(id -u)" -ne 0 ]; then fail "no emulator: run as root: update-binfmts --enable $other"; fi
  if [ ! -e $binfmt/status ]; then
    say "mounting binfmt_misc"
    mount -t binfmt_misc binfmt_misc $binfmt || fail "binfmt_misc cannot be mounted: the kernel lacks it"
  fi
  say "enabling $other"
  update-binfmts --enable "$other" || fail "update-binfmts --enable $other failed"
  emulates "$other" || fail "$binfmt/$other is not enabled with flag F: install qemu-user-static again"
}

podman_answers() { DOCKER_HOST=unix://$podman_socket docker version >/dev/null 2>&1; }

# limit NAME: this process's hard limit as /proc/self/limits has it, a number or "unlimited"
limit() { sed -n "s/^Max $1 *[^ ]* *\([^ ]*\).*/\1/p" /proc/self/limits; }

# podman asks for more files and processes than a root without CAP_SYS_RESOURCE may give: nothing would start.
write_podman_limits() {
  files=$(limit "open files")
  processes=$(limit processes)
  most=$(cat /proc/sys/kernel/pid_max) # podman lowers its own limit of processes to this
  if [ "$processes" = unlimited ] || [ "$processes" -gt "$most" ]; then processes=$most; fi
  printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
    "$files" "$files" "$processes" "$processes" >"$1"
}

make_podman_answer() {
  if ! podman_answers; then
    "$here/packages.sh" podman catatonit || exit 3
    if [ "$(id -u)" -ne 0 ]; then fail "run as root: podman system service --time=0 unix://$podman_socket"; fi
    write_podman_limits /run/lambdapack-podman.conf
    export CONTAINERS_CONF=/run/lambdapack-podman.conf
    start podman podman system service --time=0 "unix://$podman_socket"
    wait_for podman podman_answers
  fi
  echo "unix://$podman_socket"
}

case "$*" in
  "" | --podman) ;;
  *)
    echo "usage: engine.sh [--podman]" >&2
    exit 2
    ;;
esac
make_daemon_answer
make_emulator_answer
if [ "$*" = --podman ]; then make_podman_answer; fi
say "ready: $(docker version --format 'docker {{.Server.Version}}, {{.Server.Arch}}')"
