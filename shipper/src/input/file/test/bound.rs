//! What does not grow with what lies in a folder.

use super::*;
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
fn files_leave_descriptors_for_all_the_rest() {
    use crate::input::file::open::files_open_max;
    let cases = [(Some(20), 4), (Some(64), 16), (Some(96), 48), (Some(1024), 512), (None, 4096)];
    for (limit, files) in cases {
        assert_eq!(files_open_max(limit), files, "{limit:?}");
    }
}
