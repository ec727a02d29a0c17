#!/usr/bin/env python3
"""Traffic for the integration tests, for a number of seconds, then exit 0.

usage: traffic.py KIND SECONDS [ADDRESS]

network kinds run in one process with their own peer thread over ADDRESS
(default 127.0.0.1): tcp udp connect sendfile splice unix
controls, no network in them: disk fork
"""
import os
import socket
import sys
import threading
import time


def until(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(address):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.bind((address, 0))
    s.listen(128)
    return s


def sink(connection):
    buffer = bytearray(1 << 18)
    while connection.recv_into(buffer):
        pass
    connection.close()


def connected(address):
    """A TCP connection whose other end is read until it closes."""
    server = listener(address)
    client = socket.create_connection(server.getsockname()[:2])
    peer, _ = server.accept()
    threading.Thread(target=sink, args=(peer,), daemon=True).start()
    return client


def tcp(seconds, address):
    client, block = connected(address), bytes(1 << 16)
    for _ in until(seconds):
        client.sendall(block)


def udp(seconds, address):
    receiver = socket.socket(family(address), socket.SOCK_DGRAM)
    receiver.bind((address, 0))
    sender = socket.socket(family(address), socket.SOCK_DGRAM)
    sender.connect(receiver.getsockname()[:2])
    for _ in until(seconds):
        for _ in range(32):
            sender.send(b"x" * 64)
            receiver.recv(64)


def connect(seconds, address):
    server = listener(address)
    for _ in until(seconds):
        client = socket.create_connection(server.getsockname()[:2])
        peer, _ = server.accept()
        client.send(b"request")
        peer.recv(64)
        peer.send(b"answer")
        client.recv(64)
        client.close()
        peer.close()


def sendfile(seconds, address):
    client = connected(address)
    with open(os.path.realpath(sys.executable), "rb") as f:
        size = os.fstat(f.fileno()).st_size
        for _ in until(seconds):
            os.sendfile(client.fileno(), f.fileno(), 0, min(size, 1 << 20))


def splice(seconds, address):
    client = connected(address)
    source, sink_end = os.pipe()
    block = bytes(1 << 15)
    for _ in until(seconds):
        os.write(sink_end, block)
        os.splice(source, client.fileno(), len(block))


def unix(seconds, address):
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    threading.Thread(target=sink, args=(right,), daemon=True).start()
    block = bytes(1 << 14)
    for _ in until(seconds):
        left.sendall(block)


def disk(seconds, address):
    path = "/var/tmp/netto-disk-%d" % os.getpid()
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.unlink(path)
    block = os.urandom(1 << 20)
    for _ in until(seconds):
        for i in range(16):
            os.pwrite(fd, block, i << 20)
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        for i in range(16):
            os.pread(fd, 1 << 20, i << 20)


def fork(seconds, address):
    for _ in until(seconds):
        pid = os.fork()
        if not pid:
            os.execv("/bin/true", ["true"])
        os.waitpid(pid, 0)


KINDS = [tcp, udp, connect, sendfile, splice, unix, disk, fork]

if __name__ == "__main__":
    kind = {f.__name__: f for f in KINDS}[sys.argv[1]]
    kind(float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1")
