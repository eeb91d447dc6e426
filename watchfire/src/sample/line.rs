//! The sample service's log, in the shape of a Spring Boot service.
//!
//! Enters: what happened. Leaves: the lines for it, with their line ends; a failure brings its stack trace.

use std::net::SocketAddr;
use std::time::Duration;

use event::Timestamp;

/// The first line.
pub fn started(now: Timestamp, address: SocketAddr) -> String {
    format!("{now}  INFO 1 --- [main] com.example.Checkout : started, listening on {address}\n")
}

/// The last line.
pub fn stopped(now: Timestamp) -> String {
    format!("{now}  INFO 1 --- [main] com.example.Checkout : stopped\n")
}

/// A request that went well.
pub fn served(now: Timestamp, order: u64, took: Duration) -> String {
    let millis = took.as_millis();
    format!(
        "{now}  INFO 1 --- [http-{}] com.example.Orders : order {order} placed in {millis} ms\n",
        order % 8
    )
}

/// A request that failed, with the trace that a Java service would print.
pub fn failed(now: Timestamp, order: u64) -> String {
    format!(
        "{now} ERROR 1 --- [http-{}] com.example.Orders : order {order} failed\n\
         java.lang.IllegalStateException: payment gateway answered 503\n\
         \tat com.example.Payments.charge(Payments.java:71)\n\
         \tat com.example.Orders.place(Orders.java:48)\n\
         Caused by: java.net.SocketTimeoutException: connect timed out\n\
         \tat com.example.Gateway.connect(Gateway.java:29)\n\
         \t... 2 more\n",
        order % 8
    )
}
