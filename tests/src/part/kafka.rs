//! A real Apache Kafka (KRaft, one node).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

use rustix::process::Signal;

/// From the broker's port to the one where users log in; [`super::free_port`] has probed it.
const LOGIN_OFFSET: u16 = 10_000;

/// A broker on loopback. Stopped when the last user lets go of it.
#[derive(Debug)]
pub struct Kafka {
    port: u16,
    extra: String,
    folder: tempfile::TempDir,
}

impl Kafka {
    /// Starts a broker of one's own; `extra` is further lines for `server.properties`.
    #[must_use]
    pub fn start(extra: &str) -> Self {
        Kafka::start_on(super::free_port(), extra.to_owned())
    }

    /// Starts a broker that also listens at [`Kafka::login_address`], where users log in with SASL PLAIN; each is a
    /// name and a password.
    #[must_use]
    pub fn with_users(users: &[(&str, &str)]) -> Self {
        let port = super::free_port();
        let (controller, login) = (port + 1, port + LOGIN_OFFSET);
        let users: String =
            users.iter().map(|(name, password)| format!(" user_{name}=\"{password}\"")).collect();
        // A later line of the file wins over an earlier one.
        let extra = format!(
            "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SASL_PLAINTEXT://127.0.0.1:{login}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{login}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT\n\
             sasl.enabled.mechanisms=PLAIN\n\
             listener.name.sasl_plaintext.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required{users};"
        );
        Kafka::start_on(port, extra)
    }

    fn start_on(port: u16, extra: String) -> Self {
        let kafka = Kafka { port, extra, folder: tempfile::tempdir().unwrap() };
        kafka.launch();
        kafka
    }

    /// The broker that tests share when they only need a topic of their own.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Kafka>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let kafka = Arc::new(Kafka::start(""));
            *shared = Arc::downgrade(&kafka);
            kafka
        })
    }

    /// `host:port`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `host:port` of the listener that [`Kafka::with_users`] adds.
    #[must_use]
    pub fn login_address(&self) -> String {
        format!("127.0.0.1:{}", self.port + LOGIN_OFFSET)
    }

    /// Ends the broker (`kill -9` when `hard`) and waits until it is gone.
    pub fn stop(&self, hard: bool) {
        // A broker that never started has no id, and the test that wanted it has failed already.
        let Some(pid) = self.pid() else { return };
        super::signal(pid, if hard { Signal::KILL } else { Signal::TERM });
        crate::wait::until("Kafka to end", || (!super::is_running(pid)).then_some(()));
    }

    /// Starts the same broker again, on its data.
    pub fn launch(&self) {
        // One download at a time: two tests may both find the cache empty.
        static DOWNLOAD: Mutex<()> = Mutex::new(());
        let _guard = DOWNLOAD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (cache, run, port) = (super::cache(), self.folder.path(), self.port.to_string());
        super::run_script(
            "kafka.sh",
            &[cache.to_str().unwrap(), run.to_str().unwrap(), &port, "4"],
            &[("KAFKA_EXTRA", &self.extra)],
        );
    }

    fn pid(&self) -> Option<u32> {
        let file: PathBuf = self.folder.path().join("kafka.pid");
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.stop(true);
    }
}
