//! The stories that everything was built for, each in memory and with our own programs over a real Kafka.

use tests::scenario::kafka::World;
use tests::scenario::memory::Memory;
use tests::scenario::{Story, between};

const RULES: &str = include_str!("rules.yml");

/// Requests from `from` to `to` seconds, each ten seconds: `fine` that went well, `failed` that did not.
fn traffic(story: &mut Story, (from, to): (u64, u64), fine: u64, failed: u64) {
    for second in (from..to).step_by(10) {
        let at = format!("{second}s");
        story.at(&at).append("app.log", fine, "INFO");
        story.at(&at).append("app.log", failed, "ERROR");
    }
}

/// A core service is gone for six minutes; the alerter dies at minute four of it and is back twenty seconds later.
fn outage() -> Story {
    let mut story = Story::new(RULES);
    story.at("1m").service_down();
    story.at("5m").kill_alerter();
    story.at("5m 20s").start_alerter();
    story.at("7m").service_up();
    story.expect("P0", between("5m 55s", "6m 40s"));
    story.expect_resolved("P0", between("7m", "7m 45s"));
    story
}

#[test]
fn an_outage_pages_once_although_the_alerter_dies_in_memory() {
    let story = outage();
    story.play(&mut Memory::new(&story), "9m");
}

#[test]
fn an_outage_pages_once_although_the_alerter_dies_on_kafka() {
    let story = outage();
    story.play(&mut World::new(&story), "9m");
}

/// A service that fails one request in five.
fn errors() -> Story {
    let mut story = Story::new(RULES);
    traffic(&mut story, (0, 60), 20, 0);
    traffic(&mut story, (60, 360), 16, 4);
    traffic(&mut story, (360, 540), 20, 0);
    story.expect("P1", between("4m", "5m"));
    story.expect_resolved("P1", between("6m 10s", "8m"));
    story
}

#[test]
fn an_error_rate_over_five_percent_pages_in_memory() {
    let story = errors();
    story.play(&mut Memory::new(&story), "9m");
}

#[test]
fn an_error_rate_over_five_percent_pages_on_kafka() {
    let story = errors();
    story.play(&mut World::new(&story), "9m");
}

#[test]
fn exactly_five_percent_pages_nobody() {
    let mut story = Story::new(RULES);
    traffic(&mut story, (0, 600), 19, 1);
    story.play(&mut Memory::new(&story), "11m");
}

#[test]
fn one_error_of_one_request_pages_nobody() {
    let mut story = Story::new(RULES);
    story.at("30s").append("app.log", 1, "ERROR");
    story.play(&mut Memory::new(&story), "10m");
}

#[test]
fn a_blip_of_four_minutes_pages_nobody() {
    let mut story = Story::new(RULES);
    story.at("1m").service_down();
    story.at("5m").service_up();
    story.play(&mut Memory::new(&story), "10m");
}

/// The shipper dies twice, once with a rotated file half read; nothing is lost and nobody is paged twice.
fn deaths() -> Story {
    let mut story = Story::new(RULES);
    traffic(&mut story, (0, 60), 200, 0);
    traffic(&mut story, (60, 300), 160, 40);
    story.at("1m 30s").kill_shipper();
    story.at("1m 35s").rotate("app.log");
    story.at("1m 45s").start_shipper();
    story.at("2m 40s").rotate("other.log");
    story.at("3m").kill_shipper();
    story.at("3m 5s").start_shipper();
    traffic(&mut story, (300, 480), 200, 0);
    story.at("10s").append("other.log", 50, "INFO");
    story.expect("P1", between("4m", "5m 10s"));
    story.expect_resolved("P1", between("5m 10s", "7m"));
    story
}

#[test]
fn a_shipper_that_dies_loses_no_line_in_memory() {
    let story = deaths();
    story.play(&mut Memory::new(&story), "8m");
}

#[test]
fn a_shipper_that_dies_loses_no_line_on_kafka() {
    let story = deaths();
    story.play(&mut World::new(&story), "8m");
}

/// The broker is killed for a minute in the middle of an error storm.
#[test]
fn a_broker_that_dies_loses_no_line_and_no_page() {
    let mut story = Story::new(RULES);
    traffic(&mut story, (0, 60), 20, 0);
    traffic(&mut story, (60, 420), 16, 4);
    story.at("2m").kafka_down();
    story.at("3m").kafka_up();
    traffic(&mut story, (420, 600), 20, 0);
    story.expect("P1", between("4m", "7m"));
    story.expect_resolved("P1", between("7m 10s", "10m"));
    story.play(&mut World::new(&story), "10m");
}
