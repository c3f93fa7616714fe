"""Zeroes the GPU code of other architectures in a CUDA library, so that it compresses to a part of its size.

`python3 prune_fatbin.py IN OUT ARCH`, ARCH as 90 for sm_90. A TEST ARTEFACT ONLY: on a card of another
architecture the library finds no code. Headers stay, so that every offset does; intermediate code (PTX)
goes too, as it would be compiled for minutes.

`.nv_fatbin` is a row of containers (u32 magic, u16 version, u16 header size, u64 size), each of entries:
u16 kind (1 PTX, 2 ELF), u16 version, u32 header size, u64 data size, …, u32 architecture at byte 28.
"""

import struct
import sys

MAGIC = 0xBA55ED50


def section(data, name):
    """Offset and size of a section of a 64-bit little-endian ELF file."""
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, table + i * size) for i in range(count)]
    strings = headers[names][4]
    for header in headers:
        start = strings + header[0]
        if data[start:data.index(b"\0", start)] == name:
            return header[4], header[5]
    raise SystemExit(f"error: Cannot prune as the library has no section {name.decode()}")


def prune(data, arch):
    """Zeroes payloads in place; returns how many bytes stay and how many went."""
    at, size = section(data, b".nv_fatbin")
    end, kept, gone = at + size, 0, 0
    while at + 16 <= end:
        magic, _, header, length = struct.unpack_from("<IHHQ", data, at)
        if magic != MAGIC:
            at += 8
            continue
        entry, at = at + header, at + header + length
        while entry < at:
            kind, _, own, payload = struct.unpack_from("<HHIQ", data, entry)
            (target,) = struct.unpack_from("<I", data, entry + 28)
            if kind == 2 and target == arch:
                kept += payload
            else:
                data[entry + own:entry + own + payload] = bytes(payload)
                gone += payload
            entry += own + payload
        if entry != at:
            raise SystemExit("error: Cannot prune as the entries do not fill their container")
    return kept, gone


def main():
    source, target, arch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(source, "rb") as file:
        data = bytearray(file.read())
    kept, gone = prune(data, arch)
    if kept == 0:
        raise SystemExit(f"error: Cannot prune as the library has no code for sm_{arch}")
    with open(target, "wb") as file:
        file.write(data)
    print(f"sm_{arch}: {kept / 1e6:.0f} MB of code stay, {gone / 1e6:.0f} MB are zeroed")


if __name__ == "__main__":
    main()
