//! The thread around the machine: events, back-pressure, the end.

use std::time::{Duration, Instant};

use daemon::Clock;
use daemon::metric::Metrics;

use super::*;
use crate::channel::{self, Parcel, Receiver};
use crate::input::file::in_flight::InFlight;
use crate::input::file::{FileMetrics, Handle, Query, RunDeps, spawn};
use crate::route::{LaneId, LaneSet};

fn start(rig: &mut Rig) -> (Handle, Receiver, Metrics) {
    let lanes = Lanes::single();
    let (sender, receiver) = channel::channel(&lanes);
    let metrics = Metrics::new();
    let deps = RunDeps { clock: Clock::System, sender, lanes, metrics: FileMetrics::new(&metrics) };
    (spawn(rig.input.take().unwrap(), deps).unwrap(), receiver, metrics)
}

/// Receives until so many records came; settles them when told to.
fn receive(receiver: &Receiver, handle: Option<&Handle>, records: usize) -> Vec<String> {
    let mut messages = Vec::new();
    let started = Instant::now();
    while messages.len() < records {
        assert!(started.elapsed() < Duration::from_secs(30), "only {} of {records}", messages.len());
        let waiting = receiver.wait(LaneSet::NONE, LaneSet::NONE, Duration::from_secs(1)).0;
        let Some(Parcel::Batch(batch)) =
            waiting.first_from(LaneId::MAIN).and_then(|lane| receiver.take(lane))
        else {
            continue;
        };
        for entry in &batch.entries {
            let json: serde_json::Value = serde_json::from_slice(batch.payload(entry)).unwrap();
            messages.push(json["message"].as_str().unwrap().to_owned());
        }
        if let Some(handle) = handle {
            let acked =
                |entry: &crate::batch::Entry| Settled { ticket: entry.ticket.unwrap(), fate: Fate::Acked };
            handle.inbox().settle(batch.entries.iter().map(acked).collect());
        }
        receiver.give_back(batch);
    }
    messages
}

#[test]
fn what_was_settled_before_the_end_is_committed() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\n");
    let (handle, receiver, metrics) = start(&mut rig);
    assert_eq!(receive(&receiver, Some(&handle), 2), ["one", "two"]);
    rig.append("a.log", "three\n");
    assert_eq!(receive(&receiver, None, 1), ["three"]);
    let status = handle.inbox().status().unwrap();
    assert_eq!((status.streams.len(), status.streams[0].read), (1, 14));
    handle.stop_reading();
    handle.join();
    assert!(metrics.encode().contains("shipper_file_acked_bytes_total 8"), "{}", metrics.encode());
    rig.start();
    rig.expect(&["three"]);
}

#[test]
fn a_channel_without_room_stops_reading() {
    let mut rig = Rig::new();
    let lines = 40_000;
    rig.append("a.log", "a line of some length, so that the channel fills\n".repeat(lines));
    let (handle, receiver, _) = start(&mut rig);
    let mut status = handle.inbox().status().unwrap();
    let started = Instant::now();
    while status.totals.in_flight_bytes < channel::BYTES_MAX as u64 / 2 {
        assert!(started.elapsed() < Duration::from_secs(30));
        status = handle.inbox().status().unwrap();
    }
    assert!(status.streams[0].read < status.streams[0].size);
    assert_eq!(receive(&receiver, Some(&handle), lines).len(), lines);
    handle.join();
}

#[test]
fn large_records_and_an_output_that_stands_still_do_not_stop_the_scan() {
    let mut rig = Rig::new();
    rig.append("a.log", format!("{}\n", "x".repeat(250 << 10)).repeat(30));
    let (handle, receiver, _) = start(&mut rig);
    let started = Instant::now();
    let wait_for = |name: &str, done: &dyn Fn(&crate::input::file::FileTotals) -> bool| {
        while !done(&handle.inbox().totals()) {
            assert!(started.elapsed() < Duration::from_secs(20), "{name}: {:?}", handle.inbox().totals());
            std::thread::yield_now();
        }
    };
    wait_for("the channel is full", &|totals| totals.in_flight_bytes > 3 << 19);
    rig.append("b.log", "a file that comes meanwhile\n");
    wait_for("the scan goes on", &|totals| totals.streams == 2 && totals.files_open == 2);
    drop(receiver);
    handle.join();
}

/// A shipper whose reader is gone must not look alive.
#[tokio::test]
async fn the_end_of_a_reader_that_panicked_is_seen() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.read();
    let ticket = rig.unsettled[0];
    // More is given back than was taken.
    rig.input().in_flight = InFlight::new(1);
    let (mut handle, _receiver, _) = start(&mut rig);
    handle.inbox().settle(vec![Settled { ticket, fate: Fate::Acked }]);
    handle.ended().await;
    assert!(handle.inbox().look(Query::default()).await.is_none());
}

#[test]
fn bytes_that_a_start_finds_lost_are_counted() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\ntwo\n");
    rig.read();
    fs::write(rig.path("a.log"), "x\n").unwrap();
    rig.read();
    // The truncated generation still waits for its acks, and its bytes are gone.
    rig.restart();
    let (handle, _receiver, metrics) = start(&mut rig);
    handle.join();
    let page = metrics.encode();
    assert!(page.contains("shipper_file_lost_bytes_total{reason=\"truncated\"} 8"), "{page}");
}
