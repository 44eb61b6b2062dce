"""Failures of the local engine and of the tools that are fetched for a build: LP135 to LP139."""

from lambdapack.errors.record import ExitCode, Failure

NO_LOCAL_NODE = Failure(
    "LP135",
    "no-local-node",
    "the local engine cannot run on this host",
    "It runs the Node.js of the npm registry, which is built for Linux with glibc 2.28 or newer, on x86_64 and arm64; "
    "on macOS it runs the host's own.",
    "Build with a container engine: start Docker or podman, or set DOCKER_HOST.",
    ExitCode.ENVIRONMENT,
)
UNCONFINED = Failure(
    "LP136",
    "unconfined-scripts",
    "install scripts would run unconfined on this host",
    "Package scripts are other people's programs: without a container engine or bubblewrap they could read your home "
    "directory, credentials and processes.",
    "Install bubblewrap (`sudo apt-get install bubblewrap`), start Docker or podman, or accept the risk with `--engine "
    "local --allow-unconfined-scripts`.",
    ExitCode.ENVIRONMENT,
)
FOREIGN_CPU = Failure(
    "LP137",
    "foreign-cpu",
    "the local engine runs programs of this host's CPU only",
    "It builds for both CPUs, and it runs what it built only where the CPU is this host's.",
    "Name the host's CPU with `--arch`, or run it with a container engine and an emulator (`--engine docker`).",
    ExitCode.ENVIRONMENT,
)
TOOL_MISSING = Failure(
    "LP138",
    "tool-missing",
    "a build tool could not be fetched",
    "Node.js and npm come from the npm registry, the compiler and make from the Python package index; their bytes are "
    "pinned by digest.",
    "Check the network, `npm config get registry`, `pip config list`, HTTPS_PROXY and NODE_EXTRA_CA_CERTS.",
    ExitCode.ENVIRONMENT,
)
STRATEGY_REFUSED = Failure(
    "LP139",
    "strategy-refused",
    "the strategy that was asked for cannot serve this install",
    "Each strategy needs something: a CPU, an emulator, or an install without scripts.",
    "Leave `--strategy` out: `lambdapack doctor` shows which one each CPU takes, and why.",
    ExitCode.USAGE,
)

LOCAL_FAILURES: tuple[Failure, ...] = (NO_LOCAL_NODE, UNCONFINED, FOREIGN_CPU, TOOL_MISSING, STRATEGY_REFUSED)
"""In code order."""
