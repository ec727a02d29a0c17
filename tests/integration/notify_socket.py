#!/usr/bin/env python3
"""notify_socket.py PATH EXPECTED_FILE - a service manager's socket: print each message in one line,
and whether EXPECTED_FILE was there when it came."""
import os
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o777)
    while True:
        message = manager.recv(4096).decode().replace("\n", " ")
        there = "there" if os.path.exists(sys.argv[2]) else "absent"
        print(f"{message} socket={there}", flush=True)
