//! A real SMTP server (aiosmtpd) that requires STARTTLS and keeps what it receives in a maildir.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::Process;

/// How the server protects a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Offer {
    /// STARTTLS, and nothing else before it.
    Starttls,
    /// Nothing.
    Plain,
}

/// A server on loopback, its certificate, and its mailbox.
#[derive(Debug)]
pub struct Smtp {
    port: u16,
    offer: Offer,
    folder: tempfile::TempDir,
    process: Option<Process>,
}

impl Smtp {
    /// Starts a server with a fresh certificate for `localhost`.
    #[must_use]
    pub fn start() -> Self {
        Smtp::start_with(Offer::Starttls)
    }

    /// Starts a server that offers this much protection.
    ///
    /// # Panics
    /// When openssl cannot make the certificate.
    #[must_use]
    pub fn start_with(offer: Offer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(folder.path().join("key.pem"))
            .arg("-out")
            .arg(folder.path().join("cert.pem"))
            .stderr(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "openssl could not make a certificate");
        let mut smtp = Smtp { port: super::free_port(), offer, folder, process: None };
        smtp.launch();
        smtp
    }

    /// Starts it again after [`Smtp::stop`], on the same port and mailbox.
    pub fn launch(&mut self) {
        let mut command = Command::new("/usr/bin/python3");
        command.args(["-m", "aiosmtpd", "-n", "-l"]).arg(format!("127.0.0.1:{}", self.port));
        if self.offer == Offer::Starttls {
            command.arg("--tlscert").arg(self.certificate());
            command.arg("--tlskey").arg(self.folder.path().join("key.pem"));
        }
        command.args(["-c", "aiosmtpd.handlers.Mailbox"]).arg(self.folder.path().join("mail"));
        // What a lost guard leaves behind must not hold the test's own output open.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(Process::start(&mut command));
        let port = self.port;
        crate::wait::until("the SMTP server to answer", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
    }

    /// Ends it; its port refuses connections from then on.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate to trust.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Every message that it has received, as text, in no order.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.path().join("mail/new")) else { return Vec::new() };
        entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }
}
