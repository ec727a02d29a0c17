#!/usr/bin/env -S python3 -B
"""Loads that make one context appear, or none; for a number of seconds, then exit 0.

usage: contexts.py KIND SECONDS [ADDRESS]

paced delayed     timers of TCP: pacing, delayed acknowledgements
options           calls on sockets that neither send nor receive
tun               a tun device of its own, written to and read
spin              datagrams received by busy polling; prints the CPU seconds that took
blast             datagrams for ADDRESS, which may be a broadcast address
controls, no network in them: timers pipes
"""
import ctypes
import fcntl
import os
import resource
import select
import socket
import struct
import subprocess
import sys
import threading
import time

from traffic import listener, sink, until

PORT = 5400
SO_BUSY_POLL, SO_MAX_PACING_RATE, SO_PREFER_BUSY_POLL = 46, 47, 69


def paced(seconds, address):
    server = listener(address)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1000)

    def send():
        client = socket.create_connection(server.getsockname()[:2])
        threading.Thread(target=sink, args=(server.accept()[0],), daemon=True).start()
        client.setsockopt(socket.SOL_SOCKET, SO_MAX_PACING_RATE, 8 << 20)
        for _ in until(seconds):
            client.sendall(bytes(1 << 17))
    in_threads(16, send)


def delayed(seconds, address):
    """Single bytes to peers that never answer: each is acknowledged by a timer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(1000, (hard - 50) // 2)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * count + 50), hard))
    server = listener(address)
    clients, peers = [], []
    for _ in range(count):
        clients.append(socket.create_connection(server.getsockname()[:2]))
        clients[-1].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peers.append(server.accept()[0])
    for _ in range(20):  # the first ones of a connection are acknowledged at once
        for client in clients:
            client.send(b"x")
    for _ in until(seconds):
        begin = time.monotonic()
        for client in clients:
            client.send(b"x")
        time.sleep(max(0, 0.1 - (time.monotonic() - begin)))


def options(seconds, address):
    server = listener(address)
    sock = socket.socket()
    epoll = select.epoll()
    epoll.register(server, select.EPOLLIN)
    for _ in until(seconds):
        for size in range(1 << 14, 1 << 14 | 64):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
            sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            server.getsockname()
            select.select([server, sock], [], [], 0)
            epoll.poll(0)
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()


def tun(seconds, address):
    """Packets from the device to a socket here, and from a socket here to the device."""
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))  # IFF_TUN, IFF_NO_PI
    subprocess.check_call("ip addr add 10.97.0.1/24 dev tun0 && ip link set tun0 up", shell=True)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("10.97.0.1", PORT))
    sock.setblocking(False)
    payload = bytes(1000)
    source, target = socket.inet_aton("10.97.0.2"), socket.inet_aton("10.97.0.1")
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28 + len(payload), 0, 0, 64, 17, 0, source, target)
    words = sum(struct.unpack("!10H", header))
    words = (words & 0xFFFF) + (words >> 16)
    header = header[:10] + struct.pack("!H", ~words & 0xFFFF) + header[12:]
    packet = header + struct.pack("!HHHH", PORT, PORT, 8 + len(payload), 0) + payload
    received = 0
    for _ in until(seconds):
        for _ in range(32):
            os.write(device, packet)
        for _ in range(32):
            try:
                received += len(sock.recv(2000)) == len(payload)
            except BlockingIOError:
                break
        for _ in range(32):
            sock.sendto(payload, ("10.97.0.2", PORT))
        for _ in range(32):
            os.read(device, 2000)
    if not received:
        sys.exit("no packet came through the device")


def spin(seconds, address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, 1000)
    sock.setsockopt(socket.SOL_SOCKET, SO_PREFER_BUSY_POLL, 1)
    sock.bind((address, PORT))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 1, 0))
    begin = resource.getrusage(resource.RUSAGE_SELF).ru_stime
    for _ in until(seconds):
        try:
            sock.recv(2000)
        except BlockingIOError:
            pass
    print(resource.getrusage(resource.RUSAGE_SELF).ru_stime - begin)


def blast(seconds, address):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    for _ in until(seconds):
        for _ in range(32):
            sock.sendto(bytes(1000), (address, PORT))
        time.sleep(0.001)


def timers(seconds, address):
    """Sleeping threads and interval timers, which raise no signal and no packet."""
    libc = ctypes.CDLL(None, use_errno=True)

    def tick():
        fd = libc.timerfd_create(1, 0)
        interval = struct.pack("4q", 0, 100_000, 0, 100_000)
        libc.timerfd_settime(fd, 0, interval, None)
        for _ in until(seconds):
            os.read(fd, 8)

    def sleep():
        for _ in until(seconds):
            time.sleep(0.0001)
    in_threads(4, tick, sleep)


def pipes(seconds, address):
    """The calls of network programs, on what is no socket."""
    source, sink = os.pipe()
    epoll = select.epoll()
    epoll.register(source, select.EPOLLIN)
    for _ in until(seconds):
        for _ in range(64):
            os.write(sink, b"x" * 4096)
            select.select([source], [sink], [], 0)
            epoll.poll(0)
            os.read(source, 4096)
            os.close(os.dup(source))


def in_threads(count, *functions):
    threads = [threading.Thread(target=f) for f in functions for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


KINDS = [paced, delayed, options, tun, spin, blast, timers, pipes]

if __name__ == "__main__":
    kind = {f.__name__: f for f in KINDS}[sys.argv[1]]
    kind(float(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "127.0.0.1")
