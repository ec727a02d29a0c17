#!/usr/bin/env python3
"""find_addresses.py - does anything tell where this kernel is?

find_addresses.py FILE...          looks through files for any address of the running kernel: as eight
                                   bytes at any place, as a varint, in hexadecimal or
                                   decimal text. One line a finding; exit status 1 if there is one.
find_addresses.py --plant FILE     writes one address in each of these forms, to be found.
find_addresses.py --hello SOCKET   what a collector says to whoever connects, as it comes.
find_addresses.py --slide FILE     writes a kallsyms of this kernel at another place, image and modules
                                   moved by chance, where no link-time address is.

Before the first two forms:  --kallsyms FILE  that kernel, not the running one
                             --image          the image too, though it lies where it was linked

Needs root: the true addresses are those of /proc/kallsyms. Where the kernel's image lies where it was
linked (no KASLR), its addresses tell nothing and are left out: "image" is missing in the first line.
"""
import random
import re
import socket
import sys

LINK_TEXT = 0xFFFFFFFF81000000
PIECE = 64 << 10          # what a BPF program or the last function of a module may still hold
MIB = 1 << 20


def direct_map():
    """Where all memory is mapped: /proc/kcore tells; without KASLR it is where it always was."""
    with open("/proc/meminfo") as meminfo:
        memory = int(meminfo.readline().split()[1]) * 1024
    bases = [0xFFFF888000000000, 0xFF11000000000000]
    try:
        with open("/proc/kcore", "rb") as kcore:
            head = kcore.read(64 << 10)
        entry, count = int.from_bytes(head[32:40], "little"), int.from_bytes(head[56:58], "little")
        for at in range(entry, entry + 56 * count, 56):
            address = int.from_bytes(head[at + 16:at + 24], "little")
            size = int.from_bytes(head[at + 40:at + 48], "little")
            if MIB <= size <= 2 * memory and address < 0xFFFFFFFF00000000:
                bases.append(address)
    except OSError:
        pass
    return [(base, base + 2 * memory) for base in bases]


def kernel_ranges(path, with_image):
    """(name, start, end) of what must not be told."""
    text, last, outside = 0, 0, []
    with open(path) as kallsyms:
        for line in kallsyms:
            address, kind, name = line.split()[:3]
            address = int(address, 16)
            if "[" in line:
                outside.append(address)
            elif name == "_text":
                text = address
            elif kind in "tT":
                last = max(last, address)
    if not text:
        sys.exit(f"find_addresses.py: {path} shows no addresses")
    ranges = [("direct map", start, end) for start, end in direct_map()]
    if with_image or text != LINK_TEXT:
        ranges.append(("image", text, last))
    merged = []
    for address in sorted(outside):
        if merged and address <= merged[-1][1] + MIB:
            merged[-1][1] = address + PIECE
        else:
            merged.append([address, address + PIECE])
    return ranges + [("modules and BPF", start, end) for start, end in merged]


def varint(data):
    value = 0
    for at, byte in enumerate(data):
        value |= (byte & 0x7F) << 7 * at
    return value & 0xFFFFFFFFFFFFFFFF


def candidates(data):
    """Every value above 2^63 that data holds in one of the forms."""
    for match in re.finditer(rb"(?s)(?=(.{7}\xff))", data):
        yield "bytes", match.start(), int.from_bytes(match[1], "little")
    for match in re.finditer(rb"(?=([\x80-\xff]{9}\x01))", data):
        yield "varint", match.start(), varint(match[1])
    for match in re.finditer(rb"(?i)(?=(ff[0-9a-f]{14}))", data):
        yield "hexadecimal", match.start(), int(match[1], 16)
    for match in re.finditer(rb"(?=(18[0-9]{18}))", data):
        yield "decimal", match.start(), int(match[1])


def look_through(path, ranges):
    with open(path, "rb") as file:
        data = file.read()
    found = 0
    for form, at, value in candidates(data):
        for name, start, end in ranges:
            if start <= value < end:
                found += 1
                if found <= 20:
                    print(f"{path}: at {at}, as {form}: {value:#x} is in {name}")
    return found


def plant(path, ranges):
    wanted = "image" if any(name == "image" for name, _, _ in ranges) else "modules and BPF"
    address = next(start for name, start, _ in ranges if name == wanted) + 0x11
    pieces = [address.to_bytes(8, "little"), f"{address:x}".encode(),
              f"{address:X}".encode(), str(address).encode()]
    left, coded = address, bytearray()
    while left >= 0x80:
        coded.append(left & 0x7F | 0x80)
        left >>= 7
    coded.append(left)
    with open(path, "wb") as file:
        for piece in pieces + [bytes(coded)]:
            file.write(b"odd" + piece)
        file.write(b"odd" + (0xFFFF888000000000 + 12345 * 4096).to_bytes(8, "little") + b"end")


def slide(path):
    """Link-time addresses are given from the image's end upwards, a few megabytes of them: the image
    goes far above these. BPF programs stay, as the kernel tells of them by itself; modules go above
    them, and one with them that no kernel has, where this one has none."""
    with open("/proc/kallsyms") as kallsyms:
        split = [line.rstrip("\n").split(" ", 1) for line in kallsyms]
    lines = [(int(address, 16), rest) for address, rest in split]
    text = next(address for address, rest in lines if rest == "T _text")
    last = max([address for address, rest in lines if "[" in rest], default=0xFFFFFFFFC0000000)
    lines += [(last + 4 * MIB + 256 * at, f"t slid_{at}\t[slid]") for at in range(16)]
    stays = re.compile(r"\[(bpf|__builtin__.*)\]$")
    first = min(address for address, rest in lines if "[" in rest and not stays.search(rest))
    modules_by = ((last - first) // (2 * MIB) + random.randrange(8, 32)) * 2 * MIB
    image_by = LINK_TEXT + random.randrange(128, 256) * 2 * MIB - text
    with open(path, "w") as out:
        for address, rest in lines:
            if "[" not in rest:
                address += image_by if text <= address < text + (1 << 30) else 0
            elif not stays.search(rest):
                address += modules_by
            out.write(f"{address:016x} {rest}\n")


def hello(path):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(path)
    for _ in range(3):        # hello, and bells
        sys.stdout.buffer.write(client.recv(1 << 16))


def main(arguments):
    kallsyms, with_image = "/proc/kallsyms", False
    if arguments[0] == "--hello":
        hello(arguments[1])
        return 0
    if arguments[0] == "--slide":
        slide(arguments[1])
        return 0
    if arguments[0] == "--kallsyms":
        kallsyms, arguments = arguments[1], arguments[2:]
    if arguments[0] == "--image":
        with_image, arguments = True, arguments[1:]
    ranges = kernel_ranges(kallsyms, with_image)
    if arguments[0] == "--plant":
        plant(arguments[1], ranges)
        return 0
    print("looked for:", ", ".join(sorted({name for name, _, _ in ranges})))
    return 1 if sum(look_through(path, ranges) for path in arguments) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
