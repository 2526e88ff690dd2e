"""A channel by mail: one message over SMTP, encrypted, and the server's certificate checked."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from ipaddress import ip_address

from pgqueue.alerting.environment import said
from pgqueue.alerting.errors import NotSentError
from pgqueue.alerting.message import Message, as_text

TIMEOUT = 15.0
SUBJECT = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """How the channel is set. `tls`: starttls, tls (from the first byte), or none, by which no password goes."""

    host: str
    sender: str
    to: Sequence[str]
    port: int = 587
    tls: str = "starttls"
    user: str | None = None
    password_env: str | None = None

    def deliver(self, message: Message) -> None:
        """Send it. Raises NotSentError, OptionError."""
        password = said(self.password_env) if self.password_env else None
        if password is not None and self.tls == "none" and not _is_here(self.host):
            raise NotSentError("a password is not sent without TLS; use --tls starttls or tls")
        mail = letter(message, self.sender, self.to)
        try:
            with self._server() as server:
                if self.tls == "starttls":
                    server.starttls(context=ssl.create_default_context())
                if password is not None:
                    server.login(self.user or self.sender, password)
                server.send_message(mail, self.sender, list(self.to))
        except smtplib.SMTPResponseException as error:
            raise NotSentError(f"the mail server answered {error.smtp_code}") from None
        except smtplib.SMTPRecipientsRefused as refused:
            codes = ", ".join(sorted({str(code) for code, _ in refused.recipients.values()}))
            raise NotSentError(f"the mail server takes no recipient ({codes})") from None
        except ssl.SSLError as error:
            raise NotSentError(f"TLS failed: {error.reason or type(error).__name__}") from None
        except (OSError, smtplib.SMTPException) as error:
            raise NotSentError(f"the mail server could not be asked: {type(error).__name__}") from None

    def _server(self) -> smtplib.SMTP:
        if self.tls == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT, context=ssl.create_default_context())
        return smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)


def letter(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """The message as mail. Its id is the same however often it is sent; one alert is one thread."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = address(sender)
    mail["To"] = tuple(address(each) for each in to)
    # Headers are of one line; a title is one already.
    mail["Subject"] = message.subject[:SUBJECT]
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = f"<{message.id}>"
    mail["References"] = f"<{message.thread}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Pgqueue-Alert"] = f"{message.kind} {message.what}"
    mail.set_content(as_text(message))
    return mail


def address(text: str) -> Address:
    """A bare address of mail. Raises ValueError."""
    return Address(addr_spec=text)


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
