#!/usr/bin/env python3
"""hand_over.py PATH NAME COMMAND... - run COMMAND with PATH open as systemd's OpenFile=PATH:NAME does it."""
import os
import sys

path, name, command = sys.argv[1], sys.argv[2], sys.argv[3:]
opened = os.open(path, os.O_RDONLY)
if opened != 3:
    os.dup2(opened, 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES=name)
os.execvp(command[0], command)
