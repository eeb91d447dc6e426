//! A shipper that stood still.

use std::time::Duration;

use super::*;
use crate::input::file::unseen::Made;

/// Three rotations with one file kept, while the shipper stands still for `pause`; gives the bytes that are lost.
fn stand_still(pause: Duration) -> u64 {
    let mut rig = Rig::with("paths: ['{folder}/app.log*']\nparse: plain");
    rig.append("app.log", "one\ntwo\n");
    rig.read();
    for generation in ["three\nx\n", "four\nfive\n", "six\n"] {
        rig.rename("app.log", "app.log.1");
        rig.append("app.log", generation);
    }
    rig.wait(pause);
    let (made, now) = (vec![Made::look(&rig.path("app.log")); 3], rig.now);
    rig.input().hint_made(made, false, now);
    // Each a second, with a scan.
    (0..5).for_each(|_| rig.read());
    rig.ack();
    let mut messages = rig.take();
    messages.sort();
    assert_eq!(messages, ["five", "four", "one", "six", "two"]);
    rig.totals().losses.unseen
}

#[test]
fn a_file_that_came_and_went_meanwhile_is_counted_with_the_bytes_of_its_neighbours() {
    assert_eq!(stand_still(Duration::from_secs(3)), ("one\ntwo\n".len() + "four\nfive\n".len()) as u64 / 2);
}

#[test]
fn a_shipper_that_runs_counts_nothing() {
    assert_eq!(stand_still(Duration::from_secs(1)), 0);
}

#[test]
fn what_a_user_does_to_files_meanwhile_is_no_loss() {
    let mut rig = Rig::with("paths: ['{folder}/app.log*']\nparse: plain");
    rig.append("app.log", "one\n");
    rig.append("app.log.1", "zero\n");
    rig.read();
    rig.wait(Duration::from_secs(3));
    // Compressed, copied, moved away and back, written anew by an editor.
    let packed = super::copy::gzip(b"zero\n");
    rig.append("app.log.1.gz", packed);
    rig.remove("app.log.1");
    fs::copy(rig.path("app.log"), rig.path("app.log.copy")).unwrap();
    rig.append("new", "one\ntwo\n");
    rig.rename("new", "app.log");
    let made = ["app.log.1.gz", "app.log.copy"].map(|name| Made::look(&rig.path(name)));
    let now = rig.now;
    rig.input().hint_made(made, false, now);
    (0..5).for_each(|_| rig.read());
    assert_eq!(rig.totals().losses.unseen, 0);
}
