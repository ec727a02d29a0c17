#!/usr/bin/env python3
"""frames_of.py RUNTIME-DIRECTORY NAME: how many frames in the ring the symbol table gives to NAME.

Frames stand in the records as eight bytes each, link-time addresses; a name may have had several
places, one after the other.
"""
import re
import sys

directory, wanted = sys.argv[1:]
table = open(directory + "/symbols").read().splitlines()
places = []
for line, behind in zip(table, table[1:]):
    address, _, name = line.split()[:3]
    if re.fullmatch(r"bpf_prog_[0-9a-f]{16}_" + re.escape(wanted), name):
        places.append((int(address, 16), int(behind.split()[0], 16)))
frames = 0
ring = open(directory + "/ring", "rb").read()
for match in re.finditer(rb"(?s)(?=(.{4}\xff\xff\xff\xff))", ring):
    value = int.from_bytes(match[1], "little")
    frames += any(start <= value < end for start, end in places)
print(frames)
