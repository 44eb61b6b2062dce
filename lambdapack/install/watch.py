"""Watches what install scripts write while they run one after the other. The scripts cannot reach what it knows.

The trees before and after tell what has changed, and who it was where one package alone had something to run. Between
two of them the sandbox is asked which files have changed since: the kernel keeps the time of a file's last change, and
no program can set it.
"""

import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambdapack.engine.interface import Command, Sandbox
from lambdapack.errors.build import ENGINE_REFUSED, FOREIGN_WRITE
from lambdapack.errors.record import LambdapackError
from lambdapack.install.changes import CHANGED, MADE, REMOVED, find_changes
from lambdapack.install.writers import ScriptWriter, WriteRules, describe_changes
from lambdapack.tree.entry import EntryKind, Tree

LOOK_SCRIPT = r"""
const fs = require('fs'), crypto = require('crypto');
const [root, since, own] = process.argv.slice(1), from = BigInt(since), block = Buffer.alloc(1 << 20);
const say = (path, kind, value) => console.log(JSON.stringify([path, kind, value]));
function digest(file) {
  const hash = crypto.createHash('sha256'), handle = fs.openSync(file, 'r');
  for (let size; (size = fs.readSync(handle, block)) > 0;) hash.update(block.subarray(0, size));
  fs.closeSync(handle);
  return hash.digest('hex');
}
function foreign(path) {
  return !own || !(path + '/').startsWith(own + '/') || path.indexOf('/node_modules/', own.length) >= 0;
}
function look(file, path) {
  const found = fs.lstatSync(file, { bigint: true });
  const changed = found.ctimeNs >= from && foreign(path);
  if (found.isDirectory()) {
    const names = fs.readdirSync(file, { encoding: 'buffer' });
    if (changed) say(path, 'directory', names.map((name) => name.toString('latin1')));
    for (const name of names) {
      const below = (path && path + '/') + name.toString('latin1');
      try { look(Buffer.concat([file, Buffer.from('/'), name]), below); } catch (error) {
        if (foreign(below)) say(below, 'other', error.code || '');
      }
    }
  } else if (changed) {
    if (found.isSymbolicLink()) say(path, 'symlink', fs.readlinkSync(file, { encoding: 'buffer' }).toString('latin1'));
    else if (found.isFile()) say(path, 'file', digest(file));
    else say(path, 'other', '');
  }
}
look(Buffer.from(root), '');
const mark = fs.mkdtempSync('/tmp/lambdapack-');
say('', 'clock', String(fs.statSync(mark, { bigint: true }).ctimeNs));
fs.rmdirSync(mark);
"""
"""Prints what has changed below a directory since a time, outside of a package, and then the time of the kernel's
clock. Bytes of names stand as Latin-1, since not every name is UTF-8."""

NEVER = str(2**63)
"""Nanoseconds that no file's time reaches."""


@dataclass(frozen=True, slots=True)
class _SeenEntry:
    """A changed file, link or directory of the sandbox."""

    path: str
    kind: str  # as in EntryKind, or "other"
    value: str | tuple[str, ...]  # SHA-256 of a file, target of a link, names in a directory


class ScriptWatch:
    """What the scripts of one sandbox have written so far, and who it was."""

    def __init__(
        self, sandbox: Sandbox, root: str, before: Tree, rules: WriteRules, writers: Sequence[ScriptWriter]
    ) -> None:
        """Begin before any script; `before` is what was put at `root`."""
        self._sandbox = sandbox
        self._root = root
        self._before = before
        self._rules = rules
        self._writers = tuple(writers)
        self._clock = NEVER
        self._written: dict[str, str | tuple[str, ...]] = {}  # path -> what it is now
        self._authors: dict[str, str] = {}  # path -> label
        self._left_out: set[str] = set()
        self._names: dict[str, set[str]] | None = None

    def judge(self, writer: ScriptWriter, command: Command) -> None:
        """End what a writer left running, and refuse what it wrote elsewhere; LP123 names both.

        Where nobody else writes, the trees tell it afterwards.
        """
        self._sandbox.end_processes(command.user)
        if len(self._writers) > 1:
            self._judge_entries(writer, tuple(self._look(command, writer.directory)))

    def begin(self, command: Command) -> None:
        """Read the sandbox's clock before the first script, where there will be several; as the command's user."""
        if len(self._writers) > 1:
            self._clock = NEVER
            tuple(self._look(command, ""))

    def leave_out(self, directory: str) -> None:
        """Take note that an optional package is removed by us."""
        self._left_out.add(directory)

    def attribute(self, after: Tree) -> Mapping[str, str]:
        """Return who made or changed each file that is not as it was; LP123 for one that nobody may have written."""
        authors, foreign = dict[str, str](), dict[str, str]()
        owners = {writer.directory: writer for writer in self._writers if writer.package}
        for path, what in find_changes(self._before, after):
            if self._is_left_out(path):
                continue
            owner = owners.get(self._rules.owner(path))
            if path in self._authors:
                authors[path] = self._authors[path]
            elif owner is not None:
                authors[path] = owner.label
            elif len(self._writers) == 1 and self._rules.admits(self._writers[0], path):
                authors[path] = self._writers[0].label
            else:
                foreign[path] = what
        if foreign:
            raise foreign_write_error(self._writers, foreign)
        return authors

    def _is_left_out(self, path: str) -> bool:
        """Tell whether a path is gone with a package, a link in .bin that led there among them."""
        if self._left_out and posixpath.basename(posixpath.dirname(path)) == ".bin":
            return True
        return any(path == gone or path.startswith(f"{gone}/") for gone in self._left_out)

    def _judge_entries(self, writer: ScriptWriter, entries: tuple[_SeenEntry, ...]) -> None:
        foreign: dict[str, str] = {}
        for path, what, value in self._find_changes(entries):
            if self._rules.admits(writer, path):
                self._authors[path], self._written[path] = writer.label, value
            else:
                foreign[path] = what
        if foreign:
            raise foreign_write_error((writer,), foreign)

    def _find_changes(self, entries: tuple[_SeenEntry, ...]) -> Iterator[tuple[str, str, str | tuple[str, ...]]]:
        """Yield path, what happened and what is there now, for what differs from all that is known."""
        for entry in entries:
            if entry.kind == EntryKind.DIRECTORY.value:
                for name in sorted(self._known_names(entry.path) - set(entry.value)):
                    path = posixpath.join(entry.path, name)
                    if not self._is_left_out(path) and self._written.get(path) != REMOVED:
                        yield path, REMOVED, REMOVED
            elif self._written.get(entry.path, self._original(entry.path)) != entry.value:
                yield entry.path, CHANGED if entry.path in self._before.entries else MADE, entry.value

    def _original(self, path: str) -> str | None:
        """Return what was put at a path, in the form of a seen entry."""
        entry = self._before.entries.get(path)
        if entry is None or entry.kind is EntryKind.DIRECTORY:
            return None
        if entry.kind is EntryKind.SYMLINK:
            return entry.target
        with self._before.view(path) as data:
            return hashlib.sha256(data).hexdigest()

    def _known_names(self, directory: str) -> set[str]:
        if self._names is None:
            self._names = {}
            for path in self._before.entries:
                while path:
                    path, _, name = path.rpartition("/")  # noqa: PLW2901  # up to the root
                    self._names.setdefault(path, set()).add(name)
        return self._names.get(directory, set())

    def _look(self, command: Command, own: str) -> Iterator[_SeenEntry]:
        """Yield what has changed since the last look; as the command's user, whose files may be closed to others."""
        said: list[bytes] = []
        variables = {name: value for name, value in command.env.items() if name == "LD_LIBRARY_PATH"}
        argv = ("node", "-e", LOOK_SCRIPT, self._root, self._clock, own)
        look = Command(argv, variables, user=command.user, title="look at what a script wrote")

        def hear(source: str, data: bytes) -> None:
            if source == "stdout":
                said.append(data)

        ended = self._sandbox.run(look, hear)
        lines = b"".join(said).splitlines()
        clock = json.loads(lines[-1])[2] if ended.ok and lines else ""
        if not str(clock).isdigit():
            raise LambdapackError(ENGINE_REFUSED, "the sandbox does not say what the scripts have written")
        self._clock = clock
        for line in lines[:-1]:
            path, kind, value = json.loads(line)
            yield _SeenEntry(_decode(path), kind, tuple(map(_decode, value)) if kind == "directory" else _decode(value))


def _decode(text: str) -> str:
    """Return a name as Python has it, from its bytes written as Latin-1."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def foreign_write_error(writers: Sequence[ScriptWriter], changes: Mapping[str, str]) -> LambdapackError:
    """Return LP123 for changes of a package, or of one among several that cannot be told apart."""
    packages = [writer for writer in writers if writer.package]
    who = " or ".join(writer.label for writer in packages)
    first = min(changes)
    setting = f'allow-writes = {{"{packages[0].package}:{first}" = "REASON"}}'
    hint = f"Do without that package, or, where it may do that, set `{setting}` in lambdapack.toml."
    return LambdapackError(FOREIGN_WRITE, f"the install script of {who} {describe_changes(changes)}", hint=hint)
