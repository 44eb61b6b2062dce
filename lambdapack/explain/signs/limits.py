"""What the Lambda API, the kernel, docker and emulators print: sizes, conflicts, signals, what does not start."""

from lambdapack.explain.nouns import Meaning, MessagePattern, Slots
from lambdapack.explain.signs.words import (
    CERTAIN,
    FILE,
    LIKELY,
    POSSIBLE,
    ROOT,
    SYMPTOM,
    compile_pattern,
    message_pattern,
)

RUNTIME_SPEAKER, API_SPEAKER = "Lambda's runtime", "the Lambda API"


def exec_format_error(slots: Slots) -> Meaning | None:
    """The kernel refuses a program for another CPU."""
    if slots.get("docker"):
        return Meaning(
            "emulator",
            LIKELY,
            "the image is for another CPU, and this machine has no emulator for it",
            (Meaning("wrong-cpu", LIKELY, "the image or program is for another CPU than the machine"),),
        )
    return Meaning("wrong-cpu", LIKELY, "{file} is a program for another CPU, or no program at all")


SIGNS: tuple[MessagePattern, ...] = (
    MessagePattern(
        "kernel",
        "cannot execute binary file: Exec format error",
        compile_pattern(
            rf"(?:{FILE}: )?cannot execute(?: binary file)?: [Ee]xec format error|spawn (?P<file2>\S+) ENOEXEC"
        ),
        exec_format_error,
    ),
    MessagePattern(
        "docker",
        "exec /usr/local/bin/docker-entrypoint.sh: exec format error",
        compile_pattern(
            r"(?P<docker>standard_init_linux\.go|exec user process caused|OCI runtime|exec /bin/sh:|exec /usr/bin/sh:"
            r"|exec /usr/local/bin/docker-entrypoint\.sh:)[^\n]*exec format error"
        ),
        exec_format_error,
        ROOT,
    ),
    MessagePattern(
        RUNTIME_SPEAKER,
        "fork/exec /lambda-entrypoint.sh: exec format error Runtime.InvalidEntrypoint",
        compile_pattern(rf"(?:fork/exec {FILE}: )?exec format error|OSError: \[Errno 8\] Exec format error"),
        exec_format_error,
    ),
    message_pattern(
        API_SPEAKER,
        "Unzipped size must be smaller than 262144000 bytes",
        r"(?P<what>Unzipped size|Zipped size) must be smaller than (?P<bytes>\d+) bytes"
        r"(?! for the (?:UpdateFunctionConfiguration|Invoke))",
        "too-big",
        CERTAIN,
        "AWS refuses the package: {what} must stay below {bytes} bytes",
    ),
    MessagePattern(
        API_SPEAKER,
        "Request must be smaller than 69905067 bytes for the UpdateFunctionCode operation",
        compile_pattern(
            r"Request must be smaller than (?P<bytes>\d+) bytes(?! for the (?:UpdateFunctionConfiguration|Invoke))"
        ),
        Meaning(
            "too-big",
            CERTAIN,
            "the zip is sent in the request itself, which must stay below {bytes} bytes: it has to go through S3",
            fix=("lambdapack deploy --function {function} --bucket BUCKET", "{build}", "lambdapack inspect ."),
        ),
    ),
    message_pattern(
        API_SPEAKER,
        "RequestEntityTooLargeException",
        r"\bRequestEntityTooLarge(?:Exception)?\b(?![^\n]*(?:FunctionConfiguration|Invoke))"
        r"|\bCodeStorageExceeded(?:Exception)?\b|Code storage limit exceeded"
        r"|exceeds the maximum allowed size of (?!6291)\d+|[Uu]nzipped size[^\n]{0,40}(?:exceed|larger|limit)"
        r"|[Mm]aximum (?:size for a deployment package|unzipped size)|[Ll]ayers consume more than the available size",
        "too-big",
        CERTAIN,
        "AWS refuses the package for its size",
    ),
    message_pattern(
        API_SPEAKER,
        "The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:x",
        r"An update is in progress for resource(?:: \S*?:function:(?P<function>[\w-]+))?"
        r"|(?<!Bucket)ResourceConflictException[^\n]{0,200}(?:cannot be performed"
        r"|in the following state|Pending|in progress)(?:[^\n]{0,80}?:function:(?P<function2>[\w-]+))?|The "
        r"function is currently in the following state: Pending"
        r"|The Revision ?Id provided does not match|[Tt]he resource you requested has been modified|"
        r"PreconditionFailedException",
        "api-conflict",
        CERTAIN,
        "AWS is still at work on another update of the function",
    ),
    message_pattern(
        "node",
        "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        r"JavaScript heap out of memory",
        "out-of-memory",
        CERTAIN,
        "a program of node has used up its heap",
    ),
    message_pattern(
        RUNTIME_SPEAKER,
        "Error: Runtime exited with error: signal: killed Runtime.ExitError",
        r"Runtime exited with error: signal: killed|Runtime\.OutOfMemory|Error: ENOMEM|\bexit(?:ed with)? code:? 137\b",
        "out-of-memory",
        LIKELY,
        "the process was killed because it used up its memory",
    ),
    MessagePattern(
        RUNTIME_SPEAKER,
        "Error: Runtime exited with error: signal: segmentation fault Runtime.ExitError",
        compile_pattern(r"Runtime exited with error: signal: segmentation fault"),
        Meaning(
            "node-api-level",
            POSSIBLE,
            "native code crashed: so ends an addon that declares a newer Node-API than this Node.js has",
            (Meaning("truncated", POSSIBLE, "a binary that is cut short dies so as well"),),
        ),
    ),
    message_pattern(
        RUNTIME_SPEAKER,
        "Error: Runtime exited with error: signal: bus error Runtime.ExitError",
        r"Runtime exited with error: signal: bus error|\bBus error(?: \(core dumped\))?",
        "truncated",
        LIKELY,
        "a binary that is cut short was mapped and read beyond its end",
    ),
    message_pattern(
        RUNTIME_SPEAKER,
        "Error: Runtime exited with error: signal: illegal instruction Runtime.ExitError",
        r"signal: illegal instruction|Illegal instruction(?: \(core dumped\))?|\bSIGILL\b",
        "cpu-level",
        LIKELY,
        "native code uses instructions that this CPU does not have",
        SYMPTOM,
    ),
    message_pattern(
        "qemu",
        "qemu: uncaught target signal 4 (Illegal instruction) - core dumped",
        r"qemu: uncaught target signal|qemu-\w+(?:-static)?: (?:Could not open|Unable to reserve|unhandled|Unsupported)"
        r"|rosetta error:|uncaught target signal \d+",
        "emulator",
        CERTAIN,
        "the emulator crashed, not the program: the image is for another CPU than this machine",
        ROOT,
    ),
    message_pattern(
        "docker",
        "no matching manifest for linux/arm64/v8 in the manifest list entries",
        r"no matching manifest for (?P<needs>[\w/]+) in the manifest list",
        "emulator",
        LIKELY,
        "there is no image for {needs}: it exists for another CPU only",
    ),
    message_pattern(
        "docker",
        "The requested image's platform (linux/arm64) does not match the detected host platform (linux/amd64/v3)",
        r"requested image's platform \((?P<has>[\w/]+)\) does not match the detected host platform "
        r"\((?P<needs>[\w/]+)\)",
        "emulator",
        LIKELY,
        "the image is for {has}, the machine is {needs}",
        SYMPTOM,
    ),
    message_pattern(
        "sh, kernel",
        "bash: /app/bin/a: /lib64/ld-linux-x86-64.so.2: bad ELF interpreter: No such file or directory",
        r"bad ELF interpreter|bad interpreter: No such file|cannot execute: required file not found"
        r"|Could not open '/lib(?:64)?/ld-[^'\n]+'",
        "missing-interpreter",
        CERTAIN,
        "the program asks for a loader that this system does not have",
    ),
    message_pattern(
        "sh",
        "/app/dev_bundle/bin/node: No such file or directory",
        r"(?P<file>/[^\s:'\"]+/(?:bin|\.bin)/[\w.+-]+): (?:No such file or directory|not found)",
        "missing-interpreter",
        POSSIBLE,
        "{file} is not there; if it is, its own loader is not",
    ),
)
