"""A small token server that answers as GitLab's does: fewer actions than asked are no error."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
import uuid
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

ACCESS_DENIED = "HTTP Basic: Access denied. The provided password or token is incorrect."

ACCOUNTS = {
    ("gitlab-ci-token", "canary-job-token-4711"): {"pull", "push"},
    ("werf-cleanup", "canary-cleanup-4711"): {"pull", "push", "delete"},
    ("myuser", "canary-password-4711"): {"pull", "push", "delete"},
}


class TokenServer:
    """Serves `/jwt/auth` on a free port of 127.0.0.1, in a thread of its own."""

    issuer = "token-issuer"

    def __init__(self, directory: Path) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = directory / "cert.pem"
        self.certificate.write_bytes(_self_signed(self._key))
        self.requests: list[tuple[str, list[str]]] = []
        self.askers: list[str] = []
        """The programs that asked, in order."""
        self.deny_delete: tuple[str, ...] = ()
        server = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True  # head and body of an answer are two packets

            def do_GET(self) -> None:
                self._answer(*server.answer(self.path, self.headers.get("Authorization", "")))

            def do_POST(self) -> None:
                """Take the user from a form, as OAuth clients send it."""
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())
                given = {name: values[0] for name, values in form.items()}
                pair = f"{given.get('username', '')}:{given.get('password', '')}"
                query = urlencode({name: given[name] for name in ("service", "scope") if name in given})
                basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
                status, body = server.answer(f"{self.path}?{query}", basic)
                self._answer(status, {**body, "access_token": body["token"]} if "token" in body else body)

            def _answer(self, status: int, body: dict[str, object]) -> None:
                server.askers.append(program_at(self.client_address[1]))
                raw = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def realm(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/jwt/auth"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, object]]:
        """Return status and body of one request."""
        query = parse_qs(urlsplit(path).query)
        scopes = [part for scope in query.get("scope", ()) for part in scope.split()]
        user, allowed = "", set()
        if authorization.startswith("Basic "):
            user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
            if (user, password) not in ACCOUNTS:
                self.requests.append((f"refused {user}", scopes))
                return 401, {"errors": [{"code": "UNAUTHORIZED", "message": ACCESS_DENIED}]}
            allowed = ACCOUNTS[user, password]
        elif scopes:
            return 403, {"errors": [{"code": "DENIED", "message": "access forbidden"}]}
        self.requests.append((user, scopes))
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            granted = [action for action in actions.split(",") if action in allowed]
            entry: dict[str, object] = {"type": kind, "name": name, "actions": granted}
            if self.deny_delete:
                entry["meta"] = {"tag_deny_access_patterns": {"push": [], "delete": list(self.deny_delete)}}
            access.append(entry)
        return 200, {"token": self._token(user, access)}

    def _token(self, user: str, access: list[dict[str, object]]) -> str:
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "kid": _key_id(self._key)}
        claims = {
            "iss": self.issuer,
            "aud": "container_registry",
            "sub": user,
            "iat": now,
            "nbf": now - 5,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
            "access": access,
        }
        signed = f"{_encoded(header)}.{_encoded(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def program_at(port: int) -> str:
    """Return the name of the program whose connection comes from a port of this machine; empty if it is gone."""
    suffix = f":{port:04X}"
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(suffix) and fields[9] != "0":
                return _owner(f"socket:[{fields[9]}]")
    return ""


def _owner(socket: str) -> str:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(str(handle.readlink()) == socket for handle in (process / "fd").iterdir()):
                return (process / "comm").read_text().strip()
    return ""


def self_signed_files(directory: Path) -> tuple[Path, Path]:
    """Write a certificate that nobody trusts, and its key; return their paths."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate_path, key_path = directory / "self-signed.pem", directory / "self-signed.key"
    certificate_path.write_bytes(_self_signed(key))
    key_path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_path, key_path


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _key_id(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode().rstrip("=")
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def _self_signed(key: rsa.RSAPrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "token-issuer")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
