import struct

import pytest

from lambdapack.binary.registration.code_aarch64 import addresses_taken, constants, returned_constant

RET = 0xD65F03C0


def code(*words: int) -> bytes:
    return struct.pack(f"<{len(words)}I", *words)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((0x52800100, RET), 8),  # mov w0, #8
        ((0xD503245F, 0x52800120, RET), 9),  # bti c
        ((0xD503233F, 0x52800140, 0xD65F0BFF), 10),  # paciasp; retaa
        ((0x52800000, RET), 0),
        ((0x12B00000, RET), 0x7FFFFFFF),  # movn w0, #0x8000, lsl 16
        ((0x320077E0, RET), 0x3FFFFFFF),  # orr w0, wzr, #0x3fffffff
        ((0x32007BE0, RET), 0x7FFFFFFF),  # orr w0, wzr, #0x7fffffff
        ((0x3200F3E0, RET), 0x55555555),  # orr w0, wzr, #0x55555555
        ((0x321D03E0, RET), 8),  # orr w0, wzr, #8
        ((0x529FFFE0, 0x72AFFFE0, RET), 0x7FFFFFFF),  # movz, movk
        ((0x12800000, RET), -1),
        ((0x52800100, 0x94000010, RET), None),  # bl clobbers w0
        ((0x94000010, 0x52800100, RET), 8),
        ((0x52800101, RET), None),  # w1 is not w0
        ((0x72A00000, RET), None),  # movk on an unknown value
        ((0x3200FFE0, RET), None),  # no bitmask is all ones
        ((RET,), None),
        ((), None),
    ],
)
def test_a_constant_is_read_from_each_known_form(words: tuple[int, ...], expected: int | None) -> None:
    assert returned_constant(code(*words), 0x1000, lambda _: b"") == expected


def test_tail_jumps_are_followed_but_not_for_ever() -> None:
    forward, backward = 0x14000400, 0x14000000
    assert returned_constant(code(forward), 0x1000, {0x2000: code(0x528000C0, RET)}.__getitem__) == 6
    assert returned_constant(code(backward), 0x1000, {0x1000: code(backward)}.__getitem__) is None


def test_addresses_are_taken_in_order_up_to_the_end() -> None:
    words = (0xB0000000, 0x91004000, 0xF0FFFFE1, 0x91408021, 0x14000003, 0xB0000000, 0x91004000)
    assert list(addresses_taken(code(*words), 0x5010)) == [0x6010, 0x4000 + 0x20000]


def test_a_near_address_is_taken_by_one_instruction() -> None:
    words = (0xD503201F, 0x10100D80, 0x1400000F)  # nop; adr x0, #0x201b0; b: lld's relaxation
    assert list(addresses_taken(code(*words), 0x1041C)) == [0x305D0]


def test_constants_are_found_in_moves() -> None:
    assert list(constants(code(0x52800FE1, 0x52800E62, 0x52A00FE1))) == [127, 115]
