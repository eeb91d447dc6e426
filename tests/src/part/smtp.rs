//! A real SMTP server (aiosmtpd) that requires STARTTLS and keeps what it receives in a maildir.

use std::path::PathBuf;
use std::process::Command;

use super::Process;

/// A server on loopback, its certificate, and its mailbox.
#[derive(Debug)]
pub struct Smtp {
    port: u16,
    folder: tempfile::TempDir,
    _process: Process,
}

impl Smtp {
    /// Starts a server with a fresh certificate for `localhost`.
    #[must_use]
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = super::free_port();
        let status = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(folder.path().join("key.pem"))
            .arg("-out")
            .arg(folder.path().join("cert.pem"))
            .stderr(std::process::Stdio::null())
            .status();
        assert!(status.unwrap().success(), "openssl could not make a certificate");
        let mut command = Command::new("/usr/bin/python3");
        command
            .args(["-m", "aiosmtpd", "-n", "-l"])
            .arg(format!("127.0.0.1:{port}"))
            .arg("--tlscert")
            .arg(folder.path().join("cert.pem"))
            .arg("--tlskey")
            .arg(folder.path().join("key.pem"))
            .args(["-c", "aiosmtpd.handlers.Mailbox"])
            .arg(folder.path().join("mail"));
        let process = Process::start(&mut command);
        crate::wait::until("the SMTP server to answer", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Smtp { port, folder, _process: process }
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
