#!/usr/bin/env python3
"""without_syscall.py NAME ERRNO COMMAND... - run COMMAND where the kernel refuses one system call.

With 0 instead of an error it claims to have done it."""
import ctypes
import errno
import os
import platform
import struct
import sys

NUMBERS = {
    "x86_64": {"bpf": 321, "perf_event_open": 298, "seccomp": 317},
    "aarch64": {"bpf": 280, "perf_event_open": 241, "seccomp": 277},
}
for numbers in NUMBERS.values():  # what came after 5.1 has one number everywhere
    numbers.update(landlock_create_ruleset=444, landlock_restrict_self=446)
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
LOAD_NUMBER = (0x20, 0, 0, 0)  # BPF_LD | BPF_W | BPF_ABS, offset of seccomp_data.nr
SECCOMP_RET_ERRNO, SECCOMP_RET_ALLOW = 0x00050000, 0x7FFF0000


def main():
    name, error, command = sys.argv[1], getattr(errno, sys.argv[2], 0), sys.argv[3:]
    rules = [
        LOAD_NUMBER,
        (0x15, 0, 1, NUMBERS[platform.machine()][name]),  # BPF_JMP | BPF_JEQ
        (0x06, 0, 0, SECCOMP_RET_ERRNO | error),
        (0x06, 0, 0, SECCOMP_RET_ALLOW),
    ]
    packed = b"".join(struct.pack("HBBI", *rule) for rule in rules)
    text = ctypes.create_string_buffer(packed)
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(rules), ctypes.addressof(text)))
    libc = ctypes.CDLL(None, use_errno=True)
    # root needs no no_new_privs for a filter, and keeps its capabilities across execve
    if libc.prctl(PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), program, 0, 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")
    os.execvp(command[0], command)


main()
