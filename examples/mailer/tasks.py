"""What the workers do."""

import os
import smtplib
from email.message import EmailMessage

import pgqueue

# What the server said may have been lost behind its taking the mail.
UNSURE = (smtplib.SMTPServerDisconnected, OSError)


@pgqueue.task(queue="mail", retry=pgqueue.Backoff(first=1, cap=60), timeout=60)
def send(letter: int, to: str, subject: str, text: str) -> None:
    """Send a letter, once: an attempt that vanished in the middle of it is decided by a human, not by a second mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.org", to, subject
    # The same whenever it is sent: who reads the server's log for `pgqueue effects done` looks for this.
    message["Message-ID"] = f"<letter-{letter}@shop.example.org>"
    message.set_content(text)
    host, _, port = os.environ["MAILER_SMTP"].partition(":")
    # Outside of the block: if nobody answers, nothing was sent.
    server = smtplib.SMTP(host, int(port), timeout=20)
    with server, pgqueue.current_job().once(f"letter:{letter}", unsure=UNSURE) as first:
        if first:
            server.send_message(message)
            first.value = {"message_id": message["Message-ID"]}
