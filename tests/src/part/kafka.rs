//! A real Apache Kafka (KRaft, one node).

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex, Weak};

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rustix::process::Signal;

/// Partitions of a topic here; more than one, so that order across them is not taken for granted.
const PARTITIONS: i32 = 4;

/// For [`Kafka::start`]: a broker that knows access rules, and has none yet.
pub const GUARDED: &str = "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
                           allow.everyone.if.no.acl.found=true";

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

    /// Stops the broker's process where it stands: sockets stay open, and nothing answers.
    pub fn pause(&self) {
        self.pid().into_iter().for_each(|pid| super::signal(pid, Signal::STOP));
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.pid().into_iter().for_each(|pid| super::signal(pid, Signal::CONT));
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

    /// Makes a topic with settings of its own, and waits until the broker tells everybody of it.
    pub fn create(&self, topic: &str, settings: &[(&str, &str)]) {
        let admin = self.admin();
        let mut new = NewTopic::new(topic, PARTITIONS, TopicReplication::Fixed(1));
        for (name, value) in settings {
            new = new.set(name, value);
        }
        let results = block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap();
        results.into_iter().for_each(|result| drop(result.unwrap()));
        crate::wait::until(&format!("the topic {topic}"), || {
            let metadata = admin.inner().fetch_metadata(Some(topic), crate::wait::PATIENCE).ok()?;
            let partitions = metadata.topics().first()?.partitions();
            let is_led = partitions.iter().filter(|partition| partition.leader() >= 0).count();
            (is_led == usize::try_from(PARTITIONS).ok()?).then_some(())
        });
    }

    /// Removes a topic, and waits until nobody is told of it any more.
    pub fn delete(&self, topic: &str) {
        let admin = self.admin();
        let results = block_on(admin.delete_topics(&[topic], &AdminOptions::new())).unwrap();
        results.into_iter().for_each(|result| drop(result.unwrap()));
        crate::wait::until(&format!("the end of the topic {topic}"), || {
            let metadata = admin.inner().fetch_metadata(None, crate::wait::PATIENCE).ok()?;
            metadata.topics().iter().all(|found| found.name() != topic).then_some(())
        });
    }

    /// Removes every record that lies on a topic now, as retention does.
    pub fn expire(&self, topic: &str) {
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            list.add_partition_offset(topic, partition, Offset::End).unwrap();
        }
        let removed = block_on(self.admin().delete_records(&list, &AdminOptions::new())).unwrap();
        removed.elements().iter().for_each(|element| element.error().unwrap());
    }

    fn admin(&self) -> AdminClient<DefaultClientContext> {
        ClientConfig::new().set("bootstrap.servers", self.address()).create().unwrap()
    }

    /// Nobody may do this (`Read`, `Write`) with the topic any more; the broker is one of [`GUARDED`]. A topic with any
    /// rule denies what no rule allows, so that [`Kafka::grant`] comes first where the rest is to go on.
    pub fn deny(&self, operation: &str, topic: &str) {
        self.access("--add", "--deny-principal", operation, topic);
    }

    /// Ends [`Kafka::deny`].
    pub fn allow(&self, operation: &str, topic: &str) {
        self.access("--remove", "--deny-principal", operation, topic);
    }

    /// Everybody may do everything with the topic that is not denied.
    pub fn grant(&self, topic: &str) {
        self.access("--add", "--allow-principal", "All", topic);
    }

    fn access(&self, verb: &str, principal: &str, operation: &str, topic: &str) {
        let mut command = Command::new("java");
        command.arg("-cp").arg(super::cache().join("kafka-4.1.0/lib/*"));
        command.args(["org.apache.kafka.tools.AclCommand", "--bootstrap-server", &self.address(), verb]);
        command.args([principal, "User:ANONYMOUS", "--operation", operation]);
        let output = command.args(["--topic", topic, "--force"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn pid(&self) -> Option<u32> {
        let file: PathBuf = self.folder.path().join("kafka.pid");
        std::fs::read_to_string(file).ok()?.trim().parse().ok()
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.stop(true);
    }
}
