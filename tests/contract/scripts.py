"""Shell scripts, run as they are by real engines, and what the fake does in their place."""

from collections.abc import Callable

from lambdapack.errors.record import LambdapackError
from tests.fakes import Process

SCRIPTS: dict[str, Callable[[Process], int]] = {}


def script(text: str) -> Callable[[Callable[[Process], int]], str]:
    def register(play: Callable[[Process], int]) -> str:
        SCRIPTS[text] = play
        return text

    return register


@script("echo out; echo err >&2; exit 3")
def SPEAK(process: Process) -> int:  # noqa: N802
    process.out("out\n")
    process.err("err\n")
    return 3


@script("cat")
def CAT(process: Process) -> int:  # noqa: N802
    process.out(process.command.stdin)
    return 0


@script('id -u; id -g; pwd; echo "$GREETING"')
def WHO(process: Process) -> int:  # noqa: N802
    uid, gid = process.command.user.split(":")
    process.out(f"{uid}\n{gid}\n{process.command.cwd}\n{process.command.env['GREETING']}\n")
    return 0


@script("echo begun; sleep 60")
def HANG(process: Process) -> int:  # noqa: N802
    process.out("begun\n")
    process.sleep(60)
    return 0


@script("end=$(($(date +%s) + 4)); while [ $(date +%s) -lt $end ]; do :; done")
def COMPUTE(process: Process) -> int:  # noqa: N802
    process.compute(4)
    return 0


@script("while :; do echo again; sleep 0.1; done")
def CHATTER(process: Process) -> int:  # noqa: N802
    while True:
        process.out("again\n")
        process.sleep(0.1)


@script("head -c 400000000 /dev/zero | tail >/dev/null")
def EAT(process: Process) -> int:  # noqa: N802
    process.allocate(400_000_000)
    return 0


@script("kill -SEGV $$")
def CRASH(_process: Process) -> int:  # noqa: N802
    return 128 + 11


@script("exit 142")
def LIKE_THE_ENTRYPOINT(_process: Process) -> int:  # noqa: N802
    return 142


@script("grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/self/status")
def POWERS(process: Process) -> int:  # noqa: N802
    powers = "000001ffffffffff" if process.sandbox.spec.capabilities else "0000000000000000"
    process.out(f"CapEff:\t{powers}\nCapBnd:\t{powers}\nNoNewPrivs:\t1\n")
    return 0


@script("ls /sys/class/net")
def INTERFACES(process: Process) -> int:  # noqa: N802
    process.out("eth0\nlo\n" if process.sandbox.spec.network else "lo\n")
    return 0


@script("echo new > /var/task/new && echo new > /tmp/new && ! echo new > /etc/new")
def WRITE(process: Process) -> int:  # noqa: N802
    for path in ("/var/task/new", "/tmp/new"):
        process.write(path, b"new\n")
    try:
        process.write("/etc/new", b"new\n")
    except LambdapackError:
        return 0
    return 1


@script("echo new > /tmp/new && stat -c %u /tmp/new")
def WRITE_TMP(process: Process) -> int:  # noqa: N802
    process.write("/tmp/new", b"new\n")
    process.out(f"{process.files['/tmp/new'].owner[0]}\n")
    return 0


@script("cat /run/lambdapack/npmrc && stat -c '%a %u' /run/lambdapack/npmrc /run/lambdapack")
def READ_SECRET(process: Process) -> int:  # noqa: N802
    process.out(process.files["/run/lambdapack/npmrc"].data + b"600 0\n700 0\n")
    return 0


@script("stat -c '%u:%g' /var/task/own /var/task/own/a")
def OWNERS(process: Process) -> int:  # noqa: N802
    for path in ("/var/task/own", "/var/task/own/a"):
        uid, gid = process.files[path].owner
        process.out(f"{uid}:{gid}\n")
    return 0


@script("sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1 & sleep 0.2; echo begun")
def LEAVE(process: Process) -> int:  # noqa: N802
    process.sandbox.running.append(process.command.user)
    process.out("begun\n")
    return 0


@script(
    "for each in /proc/[0-9]*; do tr '\\0' ' ' < $each/cmdline 2>/dev/null; echo; done | grep -c '[s]leep 0[.]1' || :"
)
def COUNT_LEFT(process: Process) -> int:  # noqa: N802
    process.out(f"{'1' if process.sandbox.running else '0'}\n")
    return 0
