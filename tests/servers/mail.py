"""A private Dovecot and Postfix on free ports of this machine, in a temporary folder; and a proxy that can cut a
connection where it hurts.

Everybody `@support.test` and `@cust.test` has a mailbox with the password `pw`; `full@` answers 452, `gone@` 550, and
everybody `@bounce.test` is accepted first and returned a moment later. Tokens for XOAUTH2 are `token:<address>`,
introspected by an endpoint of our own.
"""

from __future__ import annotations

import contextlib
import imaplib
import json
import os
import pwd
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.servers.processes import free_port

PASSWORD = "pw"
START_TIMEOUT_S = 20.0
_TOOLS = {"dovecot": "dovecot-imapd dovecot-lmtpd", "postfix": "postfix"}
# Postfix's own processes: name, type, private, unprivileged, chroot, wake-up, limit, program (master(5)).
_SERVICES = """
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str:
    """Why the servers cannot run here, in one line with the way to get them; empty when they can."""
    packages = [packages for tool, packages in _TOOLS.items() if shutil.which(tool, path=_PATH) is None]
    if packages:
        return f"real mail servers left out: apt-get install {' '.join(packages)}"
    return (
        ""
        if os.geteuid() == 0
        else "real mail servers left out: Dovecot and Postfix start only as root (sudo bin/test)"
    )


class MailServers:
    """One Dovecot (IMAP, LMTP, SASL) and one Postfix in front of it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="careline-mail-"))
        self.folder.chmod(0o755)
        self.imap_port, self.imaps_port, self.lmtp_port, self.smtp_port = (free_port() for _ in range(4))
        self._tokens = ThreadingHTTPServer(("127.0.0.1", 0), _Introspection)
        self._refusing = socket.create_server(("127.0.0.1", 0))
        self._dovecot: subprocess.Popen[bytes] | None = None
        self.certificate = self.folder / "certificate.pem"

    def start(self) -> MailServers:
        """Write configurations and start all three. Raises AssertionError with the servers' own words."""
        reason = missing()
        assert not reason, reason
        threading.Thread(target=self._tokens.serve_forever, daemon=True).start()
        threading.Thread(target=_refuse_everybody, args=(self._refusing,), daemon=True).start()
        self._write_certificate()
        self._write_dovecot()
        self._write_postfix()
        self.start_dovecot()
        self._run("postfix", "-c", str(self.folder / "postfix"), "start")
        _wait_for(self.smtp_port, self._log)
        return self

    def stop(self) -> None:
        """Stop all and remove the folder."""
        with contextlib.suppress(AssertionError):
            self._run("postfix", "-c", str(self.folder / "postfix"), "stop")
        self.stop_dovecot()
        self._tokens.shutdown()
        self._tokens.server_close()
        self._refusing.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_dovecot(self) -> None:
        """Start the IMAP server and wait for it."""
        with (self.folder / "dovecot.out").open("ab") as log:
            config = str(self.folder / "dovecot.conf")
            self._dovecot = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", config], stdout=log, stderr=log)
        _wait_for(self.imap_port, self._log)
        _wait_for(self.lmtp_port, self._log)

    def stop_dovecot(self) -> None:
        """End it as its own service would."""
        if self._dovecot is not None and self._dovecot.poll() is None:
            self._dovecot.send_signal(signal.SIGTERM)
            self._dovecot.wait(15)

    def renumber(self, user: str) -> None:
        """What a restored or moved mailbox does: new UIDVALIDITY, new numbers, the same mails."""
        self.stop_dovecot()
        for path in (self.folder / "home" / user / "Maildir").glob("dovecot*"):
            path.unlink()
        time.sleep(1.1)  # UIDVALIDITY is the second of its making.
        self.start_dovecot()

    # talking to them as a customer's program would

    def post(self, message: EmailMessage | bytes, sender: str, *recipients: str) -> None:
        """Hand in a mail by SMTP."""
        with smtplib.SMTP("127.0.0.1", self.smtp_port, timeout=20) as smtp:
            content = message if isinstance(message, bytes) else message.as_bytes()
            smtp.sendmail(sender, recipients, content, mail_options=["SMTPUTF8"] if not content.isascii() else [])

    @contextlib.contextmanager
    def mailbox(self, user: str) -> Iterator[imaplib.IMAP4]:
        """A customer's or checker's own look into a mailbox; a Dovecot that has just started is tried again."""
        client = imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=20)
        client.login(user, PASSWORD)
        client.select("INBOX")
        try:
            yield client
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def mails(self, user: str, at_least: int = 1, within_s: float = 10.0) -> list[bytes]:
        """All mails of a user, waited for."""
        end_s = time.monotonic() + within_s
        while True:
            with self.mailbox(user) as client:
                found = client.uid("search", "", "ALL")[1][0].split()
                if len(found) >= at_least or time.monotonic() > end_s:
                    return [client.uid("fetch", uid.decode(), "(BODY.PEEK[])")[1][0][1] for uid in found]
            time.sleep(0.1)

    def flags(self, user: str) -> list[bytes]:
        """The FLAGS answers of all mails of a user."""
        with self.mailbox(user) as client:
            return [line for line in client.uid("fetch", "1:*", "(FLAGS)")[1] if line]

    def append(
        self, user: str, content: bytes, *, flags: str = "", folder: str = "INBOX", at: datetime | None = None
    ) -> None:
        """Put a mail in without the MTA. `folder` is a name as IMAP writes it, quoted where it holds a space."""
        with self.mailbox(user) as client:
            if folder != "INBOX":
                client.create(folder)
            client.append(folder, flags, imaplib.Time2Internaldate(at or datetime.now(UTC)), content)

    # configuration

    def _write_dovecot(self) -> None:
        run, owner = self.folder / "dovecot", pwd.getpwnam("mail")
        (self.folder / "home").mkdir()
        os.chown(self.folder / "home", owner.pw_uid, owner.pw_gid)
        sockets = self.folder / "postfix-spool" / "private"
        sockets.mkdir(parents=True)
        os.chown(sockets, pwd.getpwnam("postfix").pw_uid, -1)
        sockets.chmod(0o700)
        (self.folder / "oauth2.conf").write_text(
            f"introspection_url = http://127.0.0.1:{self._tokens.server_address[1]}/introspect\n"
            "introspection_mode = auth\nusername_attribute = email\nforce_introspection = yes\n"
        )
        (self.folder / "dovecot.conf").write_text(f"""
base_dir = {run}/run
state_dir = {run}/state
log_path = {self.folder}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{self.certificate}
ssl_key = <{self.folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
mail_location = maildir:{self.folder}/home/%u/Maildir
mail_uid = {owner.pw_uid}
mail_gid = {owner.pw_gid}
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = dovecot
default_login_user = dovenull
mail_max_userip_connections = 50
mailbox_idle_check_interval = 1 s
auth_failure_delay = 0
default_client_limit = 2000
default_process_limit = 400
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {self.folder}/oauth2.conf
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={PASSWORD}
}}
userdb {{
  driver = static
  args = allow_all_users=yes uid={owner.pw_uid} gid={owner.pw_gid} home={self.folder}/home/%u
}}
service imap-login {{
  service_count = 0
  inet_listener imap {{
    port = {self.imap_port}
  }}
  inet_listener imaps {{
    port = {self.imaps_port}
    ssl = yes
  }}
}}
service imap {{
  process_limit = 400
}}
service auth {{
  unix_listener {self.folder}/postfix-spool/private/auth {{
    mode = 0666
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.lmtp_port}
  }}
}}
protocol lmtp {{
  auth_username_format = %Lu
}}
lda_mailbox_autocreate = yes
""")

    def _write_postfix(self) -> None:
        config, data = self.folder / "postfix", self.folder / "postfix-data"
        config.mkdir()
        data.mkdir()
        os.chown(data, pwd.getpwnam("postfix").pw_uid, -1)
        access = "inline:{ { full@cust.test = 452 4.2.2 Mailbox full } { gone@cust.test = 550 5.1.1 No such user } }"
        (config / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {self.folder}/postfix-spool
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.local.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = support.test, cust.test
virtual_transport = lmtp:inet:127.0.0.1:{self.lmtp_port}
relayhost =
relay_domains = bounce.test
transport_maps = inline:{{ {{ bounce.test = smtp:[127.0.0.1]:{self._refusing.getsockname()[1]} }} }}
default_transport = error:no outside mail
recipient_delimiter = +
maillog_file = {self.folder}/maillog
maillog_file_prefixes = {self.folder}
message_size_limit = 31457280
mailbox_size_limit = 0
virtual_mailbox_limit = 0
smtputf8_enable = yes
alias_maps =
smtpd_tls_security_level = may
smtpd_tls_cert_file = {self.certificate}
smtpd_tls_key_file = {self.folder}/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_recipient_restrictions = check_recipient_access {access}, permit_mynetworks, reject
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
smtpd_peername_lookup = no
""")
        lines = [f"127.0.0.1:{self.smtp_port} inet n - n - - smtpd", *_SERVICES.strip().splitlines()]
        (config / "master.cf").write_text("\n".join(lines) + "\n")

    def _write_certificate(self) -> None:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        (self.folder / "key.pem").write_bytes(encoded)

    def trusting_context(self) -> ssl.SSLContext:
        """A client context that trusts only this installation's certificate."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def _run(self, tool: str, *arguments: str) -> None:
        done = subprocess.run(
            [f"/usr/sbin/{tool}", *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        words = done.stdout[-1500:] + done.stderr[-1500:] + self._log()
        assert done.returncode == 0, f"{tool} {arguments[-1]}: {words}"

    def _log(self) -> str:
        found = [self.folder / name for name in ("dovecot.out", "dovecot.log", "maillog")]
        return "\n".join(path.read_text(errors="replace")[-2000:] for path in found if path.exists())


class _Introspection(BaseHTTPRequestHandler):
    """RFC 7662 in the form Dovecot asks: a bearer token in, the address it belongs to out. Also gives out tokens for a
    refresh token.
    """

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        is_good = token.startswith("token:")
        self._answer(
            200 if is_good else 401,
            {"active": is_good, "email": token.removeprefix("token:")} if is_good else {"active": False},
        )

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        if "refresh_token=good" in body:
            self._answer(200, {"access_token": "token:support@support.test", "expires_in": 3600})
        else:
            self._answer(400, {"error": "invalid_grant"})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def _refuse_everybody(server: socket.socket) -> None:
    """The mail server of bounce.test: it knows nobody."""
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            with client, client.makefile("rb") as lines, contextlib.suppress(OSError):
                client.sendall(b"220 bounce.test\r\n")
                for line in lines:
                    is_recipient = line.upper().startswith(b"RCPT")
                    client.sendall(b"550 5.1.1 No such user here\r\n" if is_recipient else b"250 ok\r\n")
                    if line.upper().startswith(b"QUIT"):
                        break


def _wait_for(port: int, log: object) -> None:
    end_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end_s:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"nothing listens on {port}: {log() if callable(log) else ''}")
