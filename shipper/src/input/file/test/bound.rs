//! What does not grow with what lies in a folder.

use std::time::{Duration, SystemTime};

use super::*;
use crate::input::file::DELETED_GRACE;
use crate::input::file::scan::SKIPPED_MAX;

#[test]
fn files_that_are_too_old_are_named_up_to_a_bound_and_counted_beyond() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nignore_older: 1h");
    for file in 0..SKIPPED_MAX + 10 {
        rig.append(&format!("{file}.log"), "old\n");
    }
    rig.now = Timestamp::from_secs(4_000_000_000);
    rig.expect(&[]);
    assert_eq!(rig.totals().skipped, SKIPPED_MAX as u64 + 10);
    assert_eq!(rig.input().status().skipped.len(), SKIPPED_MAX);
}

#[test]
fn an_input_follows_so_many_files() {
    let mut rig = Rig::with("paths: ['{folder}/*.log']\nfiles_max: 2");
    for (age, file) in (0..).zip(["a", "b", "c", "d"]) {
        let written = rig.append(&format!("{file}.log"), format!("{file}\n"));
        written.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + age)).unwrap();
    }
    rig.expect(&["a", "b"]);
    rig.ack();
    let skipped = rig.input().status().skipped;
    assert_eq!(skipped.len(), 2);
    assert_eq!(skipped[0].reason, "`files_max` is 2, and as many are followed");
    // One that was known is followed on after a rewrite and a restart.
    fs::write(rig.path("a.log"), "A\n").unwrap();
    rig.expect(&["A"]);
    rig.ack();
    rig.restart();
    rig.expect(&[]);
    fs::remove_file(rig.path("b.log")).unwrap();
    rig.wait(DELETED_GRACE * 2);
    rig.expect(&["c"]);
}

#[test]
fn files_leave_descriptors_for_all_the_rest() {
    use crate::input::file::open::files_open_max;
    let cases = [(Some(20), 4), (Some(64), 16), (Some(96), 48), (Some(1024), 512), (None, 4096)];
    for (limit, files) in cases {
        assert_eq!(files_open_max(limit), files, "{limit:?}");
    }
}
