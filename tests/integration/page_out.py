#!/usr/bin/env python3
"""Push all memory of a process out, as a machine short of it does: page_out.py PID (root)."""
import ctypes
import os
import sys

PROCESS_MADVISE, PAGEOUT = 440, 21


class Piece(ctypes.Structure):
    _fields_ = [("start", ctypes.c_void_p), ("bytes", ctypes.c_size_t)]


pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
handle = os.pidfd_open(pid)
advised = 0
for line in open("/proc/%d/maps" % pid):
    start, end = (int(x, 16) for x in line.split()[0].split("-"))
    piece = Piece(start, end - start)
    # what cannot be advised (vdso, stack guard) stays
    advised += libc.syscall(PROCESS_MADVISE, handle, ctypes.byref(piece), 1, PAGEOUT, 0) > 0
sys.exit(0 if advised else 1)
