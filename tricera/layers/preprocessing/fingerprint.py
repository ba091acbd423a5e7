"""Hashes of byte strings that are the same everywhere: FarmHash's Fingerprint64, and SipHash-2-4.

FarmHash: Pike and Alakuijala, "Introducing FarmHash", 2014. SipHash: Aumasson and Bernstein, "SipHash: a fast short-input PRF",
2012. Both in Python integers: categories are few, and each distinct one is hashed once a call.
"""

from __future__ import annotations

_MASK = 0xFFFFFFFFFFFFFFFF
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def _word(s: bytes, at: int, size: int = 8) -> int:
    return int.from_bytes(s[at : at + size], "little")


def _rotated(x: int, by: int) -> int:
    """To the right."""
    return ((x >> by) | (x << (64 - by))) & _MASK


def _mixed(x: int) -> int:
    return x ^ (x >> 47)


def _pair(u: int, v: int, factor: int) -> int:
    a = _mixed(((u ^ v) * factor) & _MASK)
    return (_mixed(((v ^ a) * factor) & _MASK) * factor) & _MASK


def _short(s: bytes) -> int:
    n = len(s)
    if n >= 8:
        factor = _K2 + n * 2
        a, b = (_word(s, 0) + _K2) & _MASK, _word(s, n - 8)
        c = (_rotated(b, 37) * factor + a) & _MASK
        d = ((_rotated(a, 25) + b) * factor) & _MASK
        return _pair(c, d, factor & _MASK)
    if n >= 4:
        return _pair((n + (_word(s, 0, 4) << 3)) & _MASK, _word(s, n - 4, 4), (_K2 + n * 2) & _MASK)
    if n:
        y = s[0] + (s[n >> 1] << 8)
        z = n + (s[n - 1] << 2)
        return (_mixed(((y * _K2) & _MASK) ^ ((z * _K0) & _MASK)) * _K2) & _MASK
    return _K2


def _up_to_32(s: bytes) -> int:
    n = len(s)
    factor = (_K2 + n * 2) & _MASK
    a, b = (_word(s, 0) * _K1) & _MASK, _word(s, 8)
    c, d = (_word(s, n - 8) * factor) & _MASK, (_word(s, n - 16) * _K2) & _MASK
    first = (_rotated((a + b) & _MASK, 43) + _rotated(c, 30) + d) & _MASK
    return _pair(first, (a + _rotated((b + _K2) & _MASK, 18) + c) & _MASK, factor)


def _up_to_64(s: bytes) -> int:
    n = len(s)
    factor = (_K2 + n * 2) & _MASK
    a, b = (_word(s, 0) * _K2) & _MASK, _word(s, 8)
    c, d = (_word(s, n - 8) * factor) & _MASK, (_word(s, n - 16) * _K2) & _MASK
    y = (_rotated((a + b) & _MASK, 43) + _rotated(c, 30) + d) & _MASK
    z = _pair(y, (a + _rotated((b + _K2) & _MASK, 18) + c) & _MASK, factor)
    e, f = (_word(s, 16) * factor) & _MASK, _word(s, 24)
    g, h = ((y + _word(s, n - 32)) * factor) & _MASK, ((z + _word(s, n - 24)) * factor) & _MASK
    first = (_rotated((e + f) & _MASK, 43) + _rotated(g, 30) + h) & _MASK
    return _pair(first, (e + _rotated((f + a) & _MASK, 18) + g) & _MASK, factor)


def _weak(s: bytes, at: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(s, at + 8 * i) for i in range(4))
    a = (a + w) & _MASK
    b = _rotated((b + a + z) & _MASK, 21)
    c = a
    a = (a + x + y) & _MASK
    b = (b + _rotated(a, 44)) & _MASK
    return (a + z) & _MASK, (b + c) & _MASK


def fingerprint64(s: bytes) -> int:
    """FarmHash's Fingerprint64 of a byte string.

    Example:
        >>> hex(fingerprint64(b""))
        '0x9ae16a3b2f90404f'
    """
    n = len(s)
    if n <= 16:
        return _short(s)
    if n <= 32:
        return _up_to_32(s)
    return _up_to_64(s) if n <= 64 else _long(s)


def _long(s: bytes) -> int:
    n, seed = len(s), 81
    x, y = seed, (seed * _K1 + 113) & _MASK
    z = (_mixed((y * _K2 + 113) & _MASK) * _K2) & _MASK
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _word(s, 0)) & _MASK
    end, last = ((n - 1) // 64) * 64, n - 64
    for at in range(0, end, 64):
        x = (_rotated((x + y + v[0] + _word(s, at + 8)) & _MASK, 37) * _K1) & _MASK
        y = (_rotated((y + v[1] + _word(s, at + 48)) & _MASK, 42) * _K1) & _MASK
        x ^= w[1]
        y = (y + v[0] + _word(s, at + 40)) & _MASK
        z = (_rotated((z + w[0]) & _MASK, 33) * _K1) & _MASK
        v = _weak(s, at, (v[1] * _K1) & _MASK, (x + w[0]) & _MASK)
        w = _weak(s, at + 32, (z + w[1]) & _MASK, (y + _word(s, at + 16)) & _MASK)
        z, x = x, z
    factor = (_K1 + ((z & 0xFF) << 1)) & _MASK
    w = ((w[0] + ((n - 1) & 63)) & _MASK, w[1])
    v = ((v[0] + w[0]) & _MASK, v[1])
    w = ((w[0] + v[0]) & _MASK, w[1])
    x = (_rotated((x + y + v[0] + _word(s, last + 8)) & _MASK, 37) * factor) & _MASK
    y = (_rotated((y + v[1] + _word(s, last + 48)) & _MASK, 42) * factor) & _MASK
    x ^= (w[1] * 9) & _MASK
    y = (y + v[0] * 9 + _word(s, last + 40)) & _MASK
    z = (_rotated((z + w[0]) & _MASK, 33) * factor) & _MASK
    v = _weak(s, last, (v[1] * factor) & _MASK, (x + w[0]) & _MASK)
    w = _weak(s, last + 32, (z + w[1]) & _MASK, (y + _word(s, last + 16)) & _MASK)
    z, x = x, z
    one = (_pair(v[0], w[0], factor) + _mixed(y) * _K0 + z) & _MASK
    return _pair(one, (_pair(v[1], w[1], factor) + x) & _MASK, factor)


def siphash24(s: bytes, key: tuple[int, int]) -> int:
    """SipHash-2-4 of a byte string under a key of two 64-bit words.

    Example:
        >>> hex(siphash24(bytes(range(15)), (0x0706050403020100, 0x0F0E0D0C0B0A0908)))
        '0xa129ca6149be45e5'
    """
    k0, k1 = key[0] & _MASK, key[1] & _MASK
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count: int) -> None:
        a, b, c, d = v
        for _ in range(count):
            a = (a + b) & _MASK
            b = _rotated(b, 51) ^ a
            a = _rotated(a, 32)
            c = (c + d) & _MASK
            d = _rotated(d, 48) ^ c
            a = (a + d) & _MASK
            d = _rotated(d, 43) ^ a
            c = (c + b) & _MASK
            b = _rotated(b, 47) ^ c
            c = _rotated(c, 32)
        v[:] = a, b, c, d

    whole = len(s) // 8 * 8
    words = [_word(s, at) for at in range(0, whole, 8)]
    words.append(_word(s, whole) | (len(s) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def joined(first: int, second: int) -> int:
    """The fingerprint of two fingerprints in a row, as TensorFlow crosses features."""
    factor = 0xC6A4A7935BD1E995
    found = first ^ factor
    found ^= (_mixed((second * factor) & _MASK) * factor) & _MASK
    found = (found * factor) & _MASK
    return _mixed((_mixed(found) * factor) & _MASK)
