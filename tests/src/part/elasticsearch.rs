//! A real Elasticsearch (one node, without security).

use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::process::Signal;

/// A node on loopback. Stopped when the last user lets go of it.
#[derive(Debug)]
pub struct Elasticsearch {
    port: u16,
    folder: tempfile::TempDir,
}

impl Elasticsearch {
    /// The node that tests share; each uses an index of its own.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Elasticsearch>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let node = Arc::new(Elasticsearch::start());
            *shared = Arc::downgrade(&node);
            node
        })
    }

    /// Starts a node of one's own.
    #[must_use]
    pub fn start() -> Self {
        // It drops to another user when root starts it, so that user must be able to walk to its folder.
        let folder = tempfile::Builder::new().prefix("watchfire-es-").tempdir_in("/tmp").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(folder.path(), mode).unwrap();
        let node = Elasticsearch { port: super::free_port(), folder };
        node.launch();
        node
    }

    /// Starts the same node again, on its data.
    pub fn launch(&self) {
        let (cache, run, port) = (super::cache(), self.folder.path(), self.port.to_string());
        let arguments = [cache.to_str().unwrap(), run.to_str().unwrap(), &port, "512m"];
        super::run_script("elasticsearch.sh", &arguments, &[]);
    }

    /// What a search finds: `query` is the request's body. Nothing while there is no such index.
    #[must_use]
    pub fn search(&self, index: &str, query: &serde_json::Value) -> Option<serde_json::Value> {
        let url = format!("{}/{index}", self.url());
        let (status, _) = crate::http::post(&format!("{url}/_refresh"), &serde_json::Value::Null)?;
        let (_, body) = (status == 200).then(|| crate::http::post(&format!("{url}/_search"), query))??;
        serde_json::from_str(&body).ok()
    }

    /// How many documents a query string, as Kibana's search bar takes it, finds; 0 while there is no such index.
    #[must_use]
    pub fn count(&self, index: &str, query: &str) -> u64 {
        let query = serde_json::json!({
            "size": 0, "track_total_hits": true, "query": { "query_string": { "query": query } },
        });
        let found = self.search(index, &query);
        found.and_then(|found| found.pointer("/hits/total/value")?.as_u64()).unwrap_or(0)
    }

    /// The base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Ends the node and waits until it is gone.
    pub fn stop(&self) {
        let file = self.folder.path().join("es.pid");
        let Ok(text) = std::fs::read_to_string(file) else { return };
        let pid = text.trim().parse().unwrap();
        super::signal(pid, Signal::TERM);
        crate::wait::until("Elasticsearch to end", || (!super::is_running(pid)).then_some(()));
    }
}

impl Drop for Elasticsearch {
    fn drop(&mut self) {
        self.stop();
    }
}
