//! What answers in the vendors' place on this machine: a phone and SMS gateway, two robots, a mail hook.
//!
//! Enters: requests of the channels. Leaves: the answers that the vendors give when all is well.

use axum::Router;
use axum::routing::post;

/// Starts them; gives their address.
///
/// # Errors
/// When no port can be had.
pub async fn serve() -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let robot = || async { r#"{"errcode":0,"errmsg":"ok"}"# };
    let gateway = || async { r#"{"code":"0","id":"demo"}"# };
    let router = Router::new()
        .route("/voice", post(gateway))
        .route("/sms", post(gateway))
        .route("/dingtalk", post(robot))
        .route("/wecom", post(robot))
        .route("/mail", post(|| async {}));
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(address)
}

/// An address that nobody listens on; the sample service will.
///
/// # Errors
/// When no port can be had.
pub async fn free_address() -> anyhow::Result<String> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?.to_string())
}
