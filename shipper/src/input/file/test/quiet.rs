//! Scans that list nothing, because no folder has changed.

use std::os::unix::fs::symlink;

use super::*;
use crate::input::file::CLOSE_IDLE;
use crate::input::file::review::REVIEW_SCANS_MAX;
use crate::input::file::survey::LIST_EVERY;

/// A rig whose next scans list nothing, unless a folder changes.
fn quiet(rig: &mut Rig) -> u64 {
    rig.input().survey.trust_at_once();
    rig.read();
    rig.input().survey.listings()
}

fn listings(rig: &mut Rig) -> u64 {
    rig.input().survey.listings()
}

#[test]
fn a_folder_that_changed_lately_is_not_believed() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    let before = listings(&mut rig);
    rig.expect(&[]);
    assert_eq!(listings(&mut rig), before + 1);
}

#[test]
fn what_happens_to_the_bytes_is_seen_without_a_listing() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.append("b.log", "two\n");
    rig.read();
    rig.take();
    let before = quiet(&mut rig);
    rig.append("a.log", "three\n");
    rig.expect(&["three"]);
    fs::write(rig.path("b.log"), "four\n").unwrap();
    rig.expect(&["four"]);
    rig.ack();
    fs::write(rig.path("a.log"), "").unwrap();
    rig.expect(&[]);
    assert_eq!(rig.totals().streams, 2);
    assert_eq!(listings(&mut rig), before);
}

#[test]
fn names_are_listed_again_although_no_folder_tells_of_a_change() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    let before = quiet(&mut rig);
    rig.wait(LIST_EVERY);
    rig.append("b.log", "two\n");
    rig.expect(&["two"]);
    assert_eq!(listings(&mut rig), before + 1);
    let before = listings(&mut rig);
    rig.append("c.log", "three\n");
    let now = rig.now;
    rig.input().hint_all(now);
    while rig.read_once() {}
    assert_eq!((rig.take().as_slice(), listings(&mut rig)), (&["three".to_owned()][..], before + 1));
}

#[test]
fn links_and_what_is_no_file_are_looked_at_each_time() {
    let mut rig = Rig::with("paths: ['{folder}/in/*.log']");
    fs::create_dir_all(rig.path("in/folder.log")).unwrap();
    rig.append("1.txt", "one\n");
    symlink(rig.path("1.txt"), rig.path("in/link.log")).unwrap();
    rig.expect(&["one"]);
    let before = quiet(&mut rig);
    // The link's own folder does not change.
    rig.rename("1.txt", "2.txt");
    rig.append("1.txt", "another file\n");
    rig.expect(&["another file"]);
    assert_eq!(listings(&mut rig), before);
    let skipped = rig.input().status().skipped;
    assert!(skipped.iter().any(|skipped| skipped.path.ends_with("in/folder.log")), "{skipped:?}");
}

/// The inode alone tells nothing: it may have been used again.
#[test]
fn a_closed_file_whose_inode_was_used_again_under_its_name() {
    let mut rig = Rig::new();
    rig.append("a.log", "one\n");
    rig.expect(&["one"]);
    rig.ack();
    rig.wait(CLOSE_IDLE);
    rig.expect(&[]);
    assert_eq!(rig.totals().files_open, 0);
    rig.remove("a.log");
    rig.append("a.log", "two and more\n");
    rig.expect(&["two and more"]);
}

#[test]
fn many_closed_files_take_several_scans() {
    let mut rig = Rig::new();
    let names: Vec<String> = (0..2_500).map(|number| format!("{number}.log")).collect();
    for name in &names {
        rig.append(name, "one\n");
    }
    rig.read();
    rig.ack();
    rig.wait(CLOSE_IDLE);
    for _ in 0..REVIEW_SCANS_MAX {
        rig.read();
    }
    assert_eq!((rig.take().len(), rig.totals().files_open), (names.len(), 0));
    for name in &names {
        rig.append(name, "two\n");
    }
    quiet(&mut rig);
    let first = rig.take().len();
    assert!((1..names.len()).contains(&first), "{first}");
    for _ in 1..REVIEW_SCANS_MAX {
        rig.read();
    }
    assert_eq!(first + rig.take().len(), names.len());
}
