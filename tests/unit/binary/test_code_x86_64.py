import pytest

from lambdapack.binary.registration.code_x86_64 import addresses_taken, constants, returned_constant


def value(code: str, elsewhere: dict[int, str] | None = None) -> int | None:
    others = elsewhere or {}
    return returned_constant(bytes.fromhex(code), 0x1000, lambda at: bytes.fromhex(others.get(at, "")))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("b808000000 c3", 8),  # gcc -O2
        ("f30f1efa b809000000 c3", 9),  # -fcf-protection
        ("55 4889e5 b80a000000 5d c3", 10),  # -O0
        ("6a08 58 c3", 8),  # clang -Oz
        ("50 b808000000 59 c3", 8),  # rustc keeps the stack aligned
        ("31c0 c3", 0),
        ("b8ffffff7f f3c3", 0x7FFFFFFF),
        ("55 4889e5 c745fc08000000 8b45fc 5d c3", 8),  # through a local variable
        ("4883ec18 c744240c06000000 8b44240c 4883c418 c3", 6),
        ("55 4889e5 b803000000 8945fc 8b45fc c9 c3", 3),
        ("55 e811223344 b807000000 5d c3", 7),  # a call in front: the one plausible constant
        ("e811223344 b807000000 b808000000 c3", None),
        ("e811223344 b800100000 c3", None),  # no Node-API version is 4096
        ("8b0511223344 c3", None),
        ("8b45fc c3", None),
        ("", None),
    ],
)
def test_a_constant_is_read_from_each_known_form(code: str, expected: int | None) -> None:
    assert value(code) == expected


def test_tail_jumps_are_followed_but_not_for_ever() -> None:
    assert value("e9fb0f0000", {0x2000: "b808000000c3"}) == 8
    assert value("eb0e", {0x1010: "b805000000c3"}) == 5
    assert value("ebfe", {0x1000: "ebfe"}) is None


def test_addresses_are_taken_in_order_up_to_the_end() -> None:
    code = bytes.fromhex("488d3d10000000 488d3520000000 e900000000 90 488d3d00000000")
    assert list(addresses_taken(code, 0x1000)) == [0x1017, 0x102E]


def test_immediates_are_found_in_stores_and_moves() -> None:
    assert list(constants(bytes.fromhex("c7051122334473000000 bf7f000000 c74004 6c000000"))) == [115, 127, 108]
