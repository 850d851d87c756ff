"""The closed world of the BuildKit judge: a registry that has every image, a name server, and dockerd.

Run in network and mount namespaces of its own (`python buildkitworld.py DIRECTORY ROOT`); it ends with dockerd.
"""

from __future__ import annotations

import datetime
import gzip
import hashlib
import http.server
import io
import json
import os
import re
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

OCI = "application/vnd.oci.image"
PLATFORMS = (
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v5",
    "linux/arm/v6",
    "linux/arm/v7",
    "linux/386",
    "windows/amd64",
)
LATE = 0.4
"""Seconds after which an unknown digest is refused, so that the other images are asked for first."""


class Images:
    """One image for every platform; its layer is empty, so a RUN fails at once."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        raw = io.BytesIO()
        tarfile.TarFile(fileobj=raw, mode="w").close()
        layer = self._add(f"{OCI}.layer.v1.tar+gzip", gzip.compress(raw.getvalue(), mtime=0))
        diff = "sha256:" + hashlib.sha256(raw.getvalue()).hexdigest()
        manifests = [self._platform(each.split("/"), layer, diff) for each in PLATFORMS]
        index = {"schemaVersion": 2, "mediaType": f"{OCI}.index.v1+json", "manifests": manifests}
        self.index = str(self._add(f"{OCI}.index.v1+json", json.dumps(index).encode())["digest"])

    def _platform(self, parts: list[str], layer: dict[str, object], diff: str) -> dict[str, object]:
        platform = dict(zip(("os", "architecture", "variant"), parts, strict=False))
        config = {
            **platform,
            "config": {"Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [diff]},
        }
        config["history"] = [{"created_by": "nobody"}]  # type: ignore[assignment]
        kind = f"{OCI}.manifest.v1+json"
        described = self._add(f"{OCI}.config.v1+json", json.dumps(config).encode())
        manifest = {"schemaVersion": 2, "mediaType": kind, "config": described, "layers": [layer]}
        return {**self._add(kind, json.dumps(manifest).encode()), "platform": platform}

    def _add(self, kind: str, raw: bytes) -> dict[str, object]:
        digest = "sha256:" + hashlib.sha256(raw).hexdigest()
        self.blobs[digest] = raw
        return {"mediaType": kind, "digest": digest, "size": len(raw)}


class Certificates:
    """An authority of this run, and a certificate for each host when it is asked for."""

    def __init__(self, file: Path) -> None:
        self._key, self._leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self._root = self._signed("judge", self._key, None)
        file.write_bytes(self._root.public_bytes(Encoding.PEM))

    def context(self, name: str) -> ssl.SSLContext:
        """Return what serves a host."""
        with self._lock:
            if name not in self._contexts:
                signed = self._signed(name, self._leaf, self._root.subject)
                secret = self._leaf.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                with tempfile.NamedTemporaryFile(suffix=".pem") as file:
                    file.write(signed.public_bytes(Encoding.PEM) + secret)
                    file.flush()
                    self._contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    self._contexts[name].load_cert_chain(file.name)
            return self._contexts[name]

    def _signed(
        self, name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name | None
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:60])])
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        )
        if issuer is not None:
            made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return made.sign(self._key, hashes.SHA256())


def serve_registry(certificates: Certificates) -> None:
    """Serve every image on the ports that references name, http or https by the first byte."""
    images = Images()
    first = certificates.context("localhost")
    first.sni_callback = lambda sock, name, _: setattr(
        sock, "context", certificates.context(name or "localhost")
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        disable_nagle_algorithm = True  # head and body of an answer are two packets
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def do_GET(self) -> None:
            asked = re.match(r"/v2/(.+)/(manifests|blobs)/([^?]+)", self.path)
            digest = ""
            if asked:
                digest = asked[3] if asked[2] == "blobs" or asked[3].startswith("sha256:") else images.index
            body = images.blobs.get(digest) if asked else b"{}"
            if body is None:
                time.sleep(LATE)
            kind = "application/json"
            if asked and body and asked[2] == "manifests":
                kind = json.loads(body)["mediaType"]
            self.send_response(200 if body is not None else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body or b"{}")))
            if digest and body:
                self.send_header("Docker-Content-Digest", digest)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body or b"{}")

        do_HEAD = do_GET  # noqa: N815

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads, request_queue_size = True, 128

        def handle_error(self, *_: object) -> None:
            """Leave broken connections alone."""

        def finish_request(self, request: object, address: object) -> None:
            assert isinstance(request, socket.socket)
            request.settimeout(60)
            if request.recv(1, socket.MSG_PEEK) == b"\x16":
                request = first.wrap_socket(request, server_side=True)
            Handler(request, address, self)  # type: ignore[arg-type]

    for port in (80, 443, 5000):
        threading.Thread(target=Server(("127.0.0.1", port), Handler).serve_forever, daemon=True).start()


def serve_names() -> None:
    """Say 127.0.0.1 for every name."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))
    while True:
        query, peer = sock.recvfrom(2048)
        end = query.index(b"\0", 12) + 1
        known = struct.unpack(">H", query[end : end + 2])[0] == 1
        reply = query[:2] + struct.pack(">HHHHH", 0x8180, 1, int(known), 0, 0) + query[12 : end + 4]
        if known:
            reply += b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes([127, 0, 0, 1])
        sock.sendto(reply, peer)


def main(top: Path, root: Path) -> None:
    """Start the servers and dockerd in this namespace, and wait for its end."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    for name, text in (("resolv.conf", "nameserver 127.0.0.1\n"), ("hosts", "127.0.0.1 localhost\n")):
        (top / name).write_text(text)
        subprocess.run(["mount", "--bind", str(top / name), f"/etc/{name}"], check=True)
    (top / "daemon.json").write_text(json.dumps({"registry-mirrors": ["http://127.0.0.1:5000"]}))
    serve_registry(Certificates(top / "ca.pem"))
    threading.Thread(target=serve_names, daemon=True).start()
    path = f"{root}/usr/bin:{root}/usr/sbin:{os.environ['PATH']}"
    environ = {
        **os.environ,
        "PATH": path,
        "SSL_CERT_FILE": str(top / "ca.pem"),
        "SSL_CERT_DIR": "/nonexistent",
    }
    options = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]
    places = {
        "config-file": "daemon.json",
        "data-root": "data",
        "exec-root": "exec",
        "pidfile": "dockerd.pid",
    }
    options += [f"--{name}={top / place}" for name, place in places.items()]
    daemon = subprocess.Popen(["dockerd", f"--host=unix://{top}/docker.sock", *options], env=environ)
    (top / "daemon").write_text(str(daemon.pid))
    signal.signal(signal.SIGTERM, lambda *_: daemon.terminate())
    daemon.wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
