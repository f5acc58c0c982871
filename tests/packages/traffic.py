"""Sends 3 MB over one connection to the address whose packets get lost, and waits until all have come."""
import socket
import threading

SIZE = 3_000_000
listener = socket.create_server(("10.99.0.1", 5201))
received = []


def read():
    peer, _ = listener.accept()
    total = 0
    while data := peer.recv(65536):
        total += len(data)
    peer.sendall(b"!")
    received.append(total)


reader = threading.Thread(target=read)
reader.start()
with socket.create_connection(("10.99.0.1", 5201)) as sender:
    sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for _ in range(SIZE // 10_000):
        sender.sendall(bytes(10_000))
    sender.shutdown(socket.SHUT_WR)
    assert sender.recv(1) == b"!"
reader.join()
assert received == [SIZE], received
