//! Elasticsearch over HTTP: the one file that knows the client library.
//!
//! Enters: bodies. Leaves: answers, or in words why there is none. Never: a retry, a decision.
//! It needs `_cluster/health`, `_index_template` and `_bulk`, and nothing else of the cluster.

use bytes::Bytes;
use elasticsearch::auth::Credentials;
use elasticsearch::cert::{Certificate, CertificateValidation};
use elasticsearch::http::headers::{CONTENT_TYPE, HeaderMap, HeaderValue};
use elasticsearch::http::transport::{SingleNodeConnectionPool, Transport, TransportBuilder};
use elasticsearch::http::{Method, Url};

use crate::config::ElasticsearchConfig;
use crate::fate::Answer;
use crate::template;

/// A connection pool to one address.
#[derive(Debug, Clone)]
pub struct Client {
    transport: Transport,
    url: String,
    data_stream: String,
    installs_template: bool,
}

/// Why there can be no client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("elasticsearch.{key}: {reason}")]
pub struct ClientError {
    /// The key of the configuration.
    pub key: &'static str,
    /// What is wrong with its value.
    pub reason: String,
}

impl Client {
    /// A client for the configured address; nothing is connected yet. Call it inside the runtime.
    ///
    /// # Errors
    /// [`ClientError`] when the address or the certificate cannot be used.
    pub fn new(config: &ElasticsearchConfig) -> Result<Self, ClientError> {
        let failed = |key: &'static str, reason: &dyn std::fmt::Display| ClientError {
            key,
            reason: reason.to_string(),
        };
        let mut url: Url = config.url.parse().map_err(|error| failed("url", &error))?;
        // Without it the last part of a path (a proxy's prefix) would be replaced, not extended.
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::new(url))
            .timeout(config.timeout.0)
            .disable_proxy();
        if let (Some(user), Some(password)) = (&config.user, &config.password) {
            builder = builder.auth(Credentials::Basic(user.clone(), password.reveal().to_owned()));
        }
        if let Some(key) = &config.api_key {
            builder = builder.auth(Credentials::EncodedApiKey(key.reveal().to_owned()));
        }
        if let Some(path) = &config.ca {
            let read = std::fs::read(path);
            let pem = read.map_err(|error| failed("ca", &format!("{}: {error}", path.display())))?;
            let authority = Certificate::from_pem(&pem)
                .map_err(|error| failed("ca", &format!("{}: {error}", path.display())))?;
            builder = builder.cert_validation(CertificateValidation::Full(authority));
        }
        Ok(Client {
            transport: builder.build().map_err(|error| failed("url", &error))?,
            url: config.url.clone(),
            data_stream: config.data_stream.clone(),
            installs_template: config.install_template,
        })
    }

    /// Creates documents; the body is NDJSON.
    ///
    /// # Errors
    /// Why there was no answer.
    pub async fn bulk(&self, body: Bytes) -> Result<Answer, String> {
        let path = format!("{}/_bulk?filter_path=items.*.status,items.*.error", self.data_stream);
        self.request(Method::Post, &path, Some(body)).await
    }

    /// Asks whether the cluster is there.
    ///
    /// # Errors
    /// Why it is not, or what it answers instead.
    pub async fn probe(&self) -> Result<(), String> {
        let answer = self.request(Method::Get, "_cluster/health?filter_path=status", None).await?;
        if answer.status == 200 { Ok(()) } else { Err(unexpected("_cluster/health", &answer)) }
    }

    /// Asks whether the cluster is there, and installs the template where it is absent or older.
    ///
    /// # Errors
    /// Why it cannot be done.
    pub async fn prepare(&self) -> Result<(), String> {
        self.probe().await?;
        if !self.installs_template {
            return Ok(());
        }
        let name = template::name(&self.data_stream);
        let path = format!("_index_template/{name}");
        let wanted = template::template(&self.data_stream);
        let found = self.request(Method::Get, &path, None).await?;
        if !matches!(found.status, 200 | 404) {
            return Err(unexpected("_index_template", &found));
        }
        if found.status == 200 && is_current(&found.body, &wanted) {
            return Ok(());
        }
        let body = Bytes::from(wanted.to_string());
        let answer = self.request(Method::Put, &path, Some(body)).await?;
        if answer.status == 200 {
            tracing::info!(template = name, version = template::VERSION, "index template installed");
            return Ok(());
        }
        Err(unexpected("_index_template", &answer))
    }

    async fn request(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Answer, String> {
        let away = |error: &dyn std::error::Error| format!("{} does not answer: {}", self.url, root(error));
        let mut headers = HeaderMap::new();
        if path.contains("_bulk") {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        }
        let response = self
            .transport
            .send(method, path, headers, None::<&()>, body, None)
            .await
            .map_err(|error| if error.is_timeout() { self.late() } else { away(&error) })?;
        let status = response.status_code().as_u16();
        let body = response.bytes().await.map_err(|error| away(&error))?;
        Ok(Answer { status, body })
    }

    fn late(&self) -> String {
        format!("{} does not answer in time; raise elasticsearch.timeout or lower bulk.bytes", self.url)
    }
}

/// Whether the cluster's template is for this data stream and at least as new. A missing version is an old one.
fn is_current(found: &[u8], wanted: &serde_json::Value) -> bool {
    let found: serde_json::Value = serde_json::from_slice(found).unwrap_or_default();
    let Some(found) = found.pointer("/index_templates/0/index_template") else { return false };
    found["version"].as_u64() >= wanted["version"].as_u64()
        && found["index_patterns"] == wanted["index_patterns"]
}

fn unexpected(what: &str, answer: &Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    let start: String = body.chars().take(200).collect();
    format!("{what} answers {}: {start}", answer.status)
}

/// The innermost cause, such as `Connection refused`: the outer ones repeat the URL.
fn root(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &str, expected: bool) {
        let wanted = serde_json::json!({ "version": 3, "index_patterns": ["logs"] });
        let body = format!(r#"{{"index_templates":[{{"name":"x","index_template":{found}}}]}}"#);
        assert_eq!(is_current(body.as_bytes(), &wanted), expected, "{found}");
    }

    #[test]
    fn an_older_template_is_replaced_and_a_newer_one_left_alone() {
        check(r#"{"version":3,"index_patterns":["logs"]}"#, true);
        check(r#"{"version":4,"index_patterns":["logs"]}"#, true);
        check(r#"{"version":2,"index_patterns":["logs"]}"#, false);
        check(r#"{"index_patterns":["logs"]}"#, false);
        check(r#"{"version":3,"index_patterns":["other"]}"#, false);
        assert!(!is_current(b"not json", &serde_json::json!({ "version": 3 })));
    }
}
