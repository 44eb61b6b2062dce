from lambdapack.engine.transcript import MAX_KEPT_LINES, MAX_LINE_BYTES, Transcript
from lambdapack.events import SILENT
from lambdapack.install.compile_lines import CompileLines, CompilerFlag
from tests.fakes import RecordingObserver
from tests.projects import NPM_LOGS


def heard(*chunks: tuple[str, bytes], secrets: tuple[str, ...] = ()) -> tuple[str, ...]:
    listener = RecordingObserver()
    transcript = Transcript(listener, secrets)
    for source, data in chunks:
        transcript(source, data)
    transcript.close()
    assert tuple(listener.lines[-MAX_KEPT_LINES:]) == transcript.lines
    return transcript.lines


def test_lines_are_put_together_from_pieces_of_each_stream() -> None:
    assert heard(("stdout", b"on"), ("stderr", b"oops\n"), ("stdout", b"e\ntwo")) == ("oops", "one", "two")


def test_a_character_cut_in_two_survives() -> None:
    euro = "\u20ac".encode()
    assert heard(("stdout", euro[:1]), ("stdout", euro[1:] + b"\n")) == ("\u20ac",)


def test_colours_and_control_characters_are_taken_out() -> None:
    assert heard(("stdout", b"\x1b[31mred\x1b[0m\x07\x1b]0;title\x07!\n")) == ("red!",)


def test_a_redrawn_progress_line_counts_once() -> None:
    assert heard(("stderr", b"10%\r50%\r100%\n")) == ("100%",)


def test_windows_line_ends_leave_nothing_behind() -> None:
    assert heard(("stdout", b"one\r\ntwo\r\n")) == ("one", "two")


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert heard(("stdout", b"\xff\xfe\n")) == ("\ufffd\ufffd",)


def test_secrets_are_replaced_wherever_they_stand() -> None:
    assert heard(("stdout", b"token=abcdef abc\n"), secrets=("abc", "abcdef", "")) == ("token=*** ***",)


def test_an_endless_line_is_cut() -> None:
    lines = heard(*[("stdout", b"x" * 40_000)] * 10)
    assert max(map(len, lines)) <= MAX_LINE_BYTES


def test_only_the_last_lines_are_kept() -> None:
    lines = heard(("stdout", b"line\n" * (MAX_KEPT_LINES + 10)))
    assert len(lines) == MAX_KEPT_LINES


def test_a_compiler_line_for_this_machines_cpu_is_remembered() -> None:
    compiled = CompileLines()
    transcript = Transcript(SILENT, reader=compiled.take)
    transcript("stdout", (NPM_LOGS / "cpu-flags.txt").read_bytes())
    assert compiled.flags == (CompilerFlag("addon", "-march=native", everywhere=True),)


def test_the_flag_in_other_text_is_none() -> None:
    compiled = CompileLines()
    transcript = Transcript(SILENT, reader=compiled.take)
    transcript("stdout", b"we do not use -march=native here\n  g++ -o x.o --no-march=native -mtune=native x.cc\n")
    assert compiled.flags == ()
