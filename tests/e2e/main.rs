//! End to end: what a user does, and what must come of it, on real parts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests fail by panicking"
)]

mod channels;
mod cli;
mod compose;
mod delivery;
mod demo;
mod desk;
mod durability;
mod email;
mod garbage;
mod heap;
mod indexer;
mod nginx;
mod operate;
mod resume;
mod routes;
mod security;
mod source;
mod stories;
mod tools;
mod torture;
