//! Asking the shipper that runs.
//!
//! Enters: an address of an admin page. Leaves: its [`StatusPage`], or why there is none. Never: a change over there.

use std::time::Duration;

use crate::config::Config;
use crate::status::{Ask, StatusPage};

/// How long an answer may take: a little longer than the shipper itself gives its reader.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Nobody listens.
    #[error("no shipper answers at {address}: {reason}")]
    Nobody {
        /// Where.
        address: String,
        /// What the system says.
        reason: String,
    },
    /// Somebody else listens, or a shipper that cannot answer now.
    #[error("{address} gives no status: {reason}")]
    Refused {
        /// Where.
        address: String,
        /// What was said.
        reason: String,
    },
}

/// `host:port` of the admin page that `config` describes, as it is reached from this machine.
///
/// # Errors
/// A text when the port is the system's choice.
pub(crate) fn address(config: &Config) -> Result<String, String> {
    let listen = config.admin.listen.as_str();
    let Some((host, port)) = listen.rsplit_once(':') else { return Ok(listen.to_owned()) };
    if port == "0" {
        return Err(
            "`admin.listen` lets the system choose the port; name the address that the shipper's log says, \
                    with `--address`"
                .to_owned(),
        );
    }
    let host = match host {
        "0.0.0.0" | "" => "127.0.0.1",
        "[::]" => "[::1]",
        other => other,
    };
    Ok(format!("{host}:{port}"))
}

/// Asks; waits at most [`ANSWER_MAX`].
pub(crate) async fn ask(address: &str, ask: &Ask) -> Result<StatusPage, AskError> {
    let nobody = |reason: String| AskError::Nobody { address: address.to_owned(), reason };
    let refused = |reason: String| AskError::Refused { address: address.to_owned(), reason };
    // The page is on this machine: a proxy of the environment has no part in it.
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER_MAX)
        .build()
        .map_err(|error| refused(error.to_string()))?;
    let request = client.get(format!("http://{address}/api/status")).query(ask);
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_connect() => return Err(nobody(innermost(&error))),
        Err(error) => return Err(refused(innermost(&error))),
    };
    let status = answer.status();
    let body = answer.text().await.map_err(|error| refused(innermost(&error)))?;
    if !status.is_success() {
        let word = if status == reqwest::StatusCode::NOT_FOUND {
            "it is another program, or a shipper of an older version".to_owned()
        } else {
            format!("{status}: {}", body.trim())
        };
        return Err(refused(word));
    }
    serde_json::from_str(&body).map_err(|error| refused(format!("an answer that is no status: {error}")))
}

/// The cause below the client's own words.
fn innermost(error: &reqwest::Error) -> String {
    let mut error: &dyn std::error::Error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_asked_at_an_address_that_can_be_reached() {
        for (listen, expected) in [
            ("127.0.0.1:9601", Ok("127.0.0.1:9601")),
            ("0.0.0.0:9601", Ok("127.0.0.1:9601")),
            ("'[::]:9601'", Ok("[::1]:9601")),
            ("web-1:80", Ok("web-1:80")),
            ("127.0.0.1:0", Err("with `--address`")),
        ] {
            let text = format!(
                "inputs: [{{ file: {{ paths: [/a] }} }}]\noutput: {{ stdout: {{}} }}\nadmin: {{ listen: {listen} }}"
            );
            let config: Config = daemon::config::parse("shipper.yml", &text).unwrap();
            match (address(&config), expected) {
                (Ok(address), Ok(expected)) => assert_eq!(address, expected),
                (Err(text), Err(words)) => assert!(text.ends_with(words), "{text}"),
                (other, _) => panic!("{listen}: {other:?}"),
            }
        }
    }
}
