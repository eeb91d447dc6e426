//! What a registry makes of a disk that is full, or that refuses later.

use std::os::unix::fs::symlink;

use super::*;

impl Registry {
    /// From here on every write meets the system's own `no space left on device`.
    pub(crate) fn fill_disk(&mut self) {
        self.file = Some(Arc::new(OpenOptions::new().write(true).open("/dev/full").unwrap()));
        symlink("/dev/full", self.path.with_extension("new")).unwrap();
    }

    /// The next write is taken, and the disk cannot promise to keep it.
    pub(crate) fn break_disk(&mut self) {
        self.file = Some(Arc::new(OpenOptions::new().write(true).open("/dev/null").unwrap()));
    }

    /// Space again.
    pub(crate) fn free_disk(&self) {
        fs::remove_file(self.path.with_extension("new")).unwrap();
    }
}

#[test]
fn a_full_disk_keeps_the_last_commit_and_the_next_one_mends_it() {
    let folder = TempDir::new().unwrap();
    let mut registry = Registry::open(folder.path()).unwrap().registry;
    registry.append(&[Change::Put(entry(1, 10).into())]).unwrap();
    registry.fill_disk();
    let refused = registry.append(&[Change::Put(entry(1, 11).into())]).unwrap_err().to_string();
    assert!(refused.contains("No space left on device"), "{refused}");
    assert!(registry.wants_rewrite());
    registry.append(&[Change::Put(entry(1, 11).into())]).unwrap_err();
    registry.rewrite([entry(1, 12)].into_iter(), &Anchors::new()).unwrap_err();
    let path = registry.path().to_owned();
    let kept = parse(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(kept.entries[&StreamId::from_u128(1)], entry(1, 10));
    registry.free_disk();
    registry.rewrite([entry(1, 13)].into_iter(), &Anchors::new()).unwrap();
    registry.append(&[Change::Put(entry(2, 20).into())]).unwrap();
    drop(registry);
    assert_eq!(Registry::open(folder.path()).unwrap().entries, [entry(1, 13), entry(2, 20)]);
}

#[test]
fn what_the_disk_is_not_waited_for_is_there_after_a_kill() {
    let folder = TempDir::new().unwrap();
    let mut registry = Registry::open(folder.path()).unwrap().registry;
    for offset in [10, 11] {
        registry.append_behind(&[Change::Put(entry(1, offset).into())]).unwrap();
    }
    drop(registry);
    assert_eq!(Registry::open(folder.path()).unwrap().entries, [entry(1, 11)]);
}

#[test]
fn what_the_disk_refuses_later_is_told_by_the_next_call_and_mended_by_a_rewrite() {
    let folder = TempDir::new().unwrap();
    let mut registry = Registry::open(folder.path()).unwrap().registry;
    registry.break_disk();
    registry.append_behind(&[Change::Put(entry(1, 10).into())]).unwrap();
    let refused = registry.append_behind(&[]).unwrap_err().to_string();
    assert!(refused.contains("Invalid argument"), "{refused}");
    assert!(registry.wants_rewrite());
    registry.rewrite([entry(1, 10)].into_iter(), &Anchors::new()).unwrap();
    registry.append_behind(&[Change::Put(entry(1, 11).into())]).unwrap();
    registry.append(&[]).unwrap();
    drop(registry);
    assert_eq!(Registry::open(folder.path()).unwrap().entries, [entry(1, 11)]);
}

#[test]
fn the_file_stays_small() {
    let folder = TempDir::new().unwrap();
    let mut registry = Registry::open(folder.path()).unwrap().registry;
    for offset in 0..20_000 {
        if registry.wants_rewrite() {
            registry.rewrite([entry(1, offset)].into_iter(), &Anchors::new()).unwrap();
        } else {
            // Without a wait for the disk, which would make this test one of minutes.
            registry.note(&[Change::Put(entry(1, offset).into())]).unwrap();
        }
        assert!(registry.bytes < 2 * REWRITE_BYTES_MIN);
    }
    drop(registry);
    assert_eq!(Registry::open(folder.path()).unwrap().entries, [entry(1, 19_999)]);
}
