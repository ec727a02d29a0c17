#!/usr/bin/env python3
"""Traffic beside that of tests/integration/traffic.py: what else machines do.

usage: traffic.py KIND SECONDS [ARGUMENT...]
"""
import fcntl
import http.client
import http.server
import os
import socket
import struct
import sys
import threading
import time

PORT = 5401
GROUP = "239.7.7.7"
SO_BUSY_POLL, SO_PREFER_BUSY_POLL = 46, 69


def until(seconds):
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        yield


def datagrams(*where):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if where:
        s.bind(where)
    return s


def echo(seconds, address, mode=""):
    s = datagrams(address, PORT)
    if mode == "busy":
        s.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, 1000)
    for _ in until(seconds):
        data, peer = s.recvfrom(2048)
        s.sendto(data, peer)


def ask(seconds, address, mode=""):
    s = datagrams()
    if mode == "busy":
        s.setsockopt(socket.SOL_SOCKET, SO_BUSY_POLL, 1000)
    s.connect((address, PORT))
    s.settimeout(1)
    for _ in until(seconds):
        s.send(b"x" * 64)
        try:
            s.recv(2048)
        except TimeoutError:
            pass


def multicast(seconds, address):
    s = datagrams(address, 0)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
    for _ in until(seconds):
        for _ in range(64):
            s.sendto(b"x" * 200, (GROUP, PORT))


def multicast_read(seconds, address):
    s = datagrams(GROUP, PORT)
    member = socket.inet_aton(GROUP) + socket.inet_aton(address)
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    for i, _ in enumerate(until(seconds)):
        s.recv(2048)
        if i % 1000 == 999:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, member)
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)


def capture(seconds, device):
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    s.bind((device, 3))
    for _ in until(seconds):
        s.recv(65536)


def tun(seconds):
    """A VPN's way: packets come out of one descriptor, and answers are written back to it."""
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", b"tun0", 0x1001))
    os.system("ip addr add 10.95.0.1/24 dev tun0; ip link set tun0 up")
    threading.Thread(target=ask, args=(seconds, "10.95.0.2"), daemon=True).start()
    for _ in until(seconds):
        packet = bytearray(os.read(fd, 2048))
        if packet[0] >> 4 == 4:
            packet[12:16], packet[16:20] = packet[16:20], packet[12:16]
            packet[20:22], packet[22:24] = packet[22:24], packet[20:22]
            os.write(fd, packet)


def drain(connection):
    while connection.recv(1 << 17):
        pass


def mptcp(seconds):
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    server.bind(("127.0.0.1", 0))
    server.listen()
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    client.connect(server.getsockname())
    peer, _ = server.accept()
    threading.Thread(target=drain, args=(peer,), daemon=True).start()
    for _ in until(seconds):
        client.sendall(bytes(1 << 16))


def unix_messages(seconds):
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    pipe, _ = os.pipe()
    for _ in until(seconds):
        left.send(b"x" * 100)
        right.recv(200)
        socket.send_fds(left, [b"fd"], [pipe])
        for fd in socket.recv_fds(right, 10, 1)[1]:
            os.close(fd)


class Page(http.server.BaseHTTPRequestHandler):
    disable_nagle_algorithm = True
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"x" * 20000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def http_requests(seconds):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in until(seconds):
        connection = http.client.HTTPConnection(*server.server_address)
        for _ in range(5):
            connection.request("GET", "/")
            connection.getresponse().read()
        connection.close()


def udp_sink(seconds, address):
    s = datagrams(address, PORT)
    s.setsockopt(socket.IPPROTO_UDP, 104, 1)  # UDP_GRO
    for _ in until(seconds):
        s.recv(65536)


def udp_gso(seconds, address):
    s = datagrams()
    s.connect((address, PORT))
    s.setsockopt(socket.IPPROTO_UDP, 103, 1200)  # UDP_SEGMENT
    for _ in until(seconds):
        for _ in range(16):
            try:
                s.send(bytes(1200 * 30))
            except ConnectionRefusedError:
                pass


KINDS = {f.__name__: f for f in (echo, ask, multicast, multicast_read, capture, tun, mptcp,
                                 unix_messages, udp_sink, udp_gso)}
KINDS["http"] = http_requests

if __name__ == "__main__":
    KINDS[sys.argv[1]](*sys.argv[2:])
