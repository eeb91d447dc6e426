//! What a registry survives: kills, cuts, flipped bits, a second owner, and in `disk` a disk that refuses.
//!
//! Enters: groups of changes and damage. Leaves: a state that was committed, or a refusal.

mod disk;

use std::collections::BTreeMap;
use std::fs;

use event::StreamId;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

fn entry(stream: u128, offset: u64) -> Entry {
    Entry {
        stream: StreamId::from_u128(stream),
        path: format!("/var/log/{stream}\n\"日志\".log"),
        device: 1,
        inode: 2,
        birth: Some(-3),
        generation: 4,
        offset,
        packed: None,
        aside: false,
        size: offset + 6,
        head: Print::of(0, b"head"),
        tail: Print::of(offset.saturating_sub(4), b"tail"),
        filtered: 7,
        lost: Losses {
            line_too_long: 1,
            truncated: 2,
            vanished: 3,
            dead_lettered: 4,
            over_budget: 5,
            unseen: 6,
        },
        seen: Timestamp::from_secs(9),
    }
}

type State = BTreeMap<StreamId, Entry>;

fn apply(state: &mut State, changes: &[Change]) {
    for change in changes {
        match change {
            Change::Put(entry) => drop(state.insert(entry.stream, Entry::clone(entry))),
            Change::Remove(stream) => drop(state.remove(stream)),
            Change::Anchor(_) => {}
        }
    }
}

/// Commits four groups; gives the file's bytes, and every state that was committed.
fn committed() -> (Vec<u8>, Vec<State>) {
    let folder = TempDir::new().unwrap();
    let mut registry = Registry::open(folder.path()).unwrap().registry;
    let mut states = vec![State::new()];
    let groups = [
        vec![Change::Put(entry(1, 10).into()), Change::Put(entry(2, 20).into())],
        vec![Change::Put(entry(1, 11).into())],
        vec![Change::Remove(StreamId::from_u128(2)), Change::Put(entry(3, 30).into())],
        vec![Change::Put(entry(1, 12).into()), anchor("logs", &[(0, 5)]), Change::Put(entry(3, 31).into())],
    ];
    for group in groups {
        registry.append(&group).unwrap();
        let mut state = states.last().unwrap().clone();
        apply(&mut state, &group);
        states.push(state);
    }
    (fs::read(registry.path()).unwrap(), states)
}

fn parse(bytes: &[u8]) -> Result<log::Content, log::Damage> {
    log::read(bytes).unwrap()
}

fn open_with(bytes: &[u8]) -> (TempDir, Result<Opened, RegistryError>) {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("registry.log"), bytes).unwrap();
    let opened = Registry::open(folder.path());
    (folder, opened)
}

fn state(opened: &Opened) -> State {
    opened.entries.iter().map(|entry| (entry.stream, entry.clone())).collect()
}

#[test]
fn what_was_committed_is_there_again() {
    let (bytes, states) = committed();
    let (_folder, opened) = open_with(&bytes);
    let opened = opened.unwrap();
    assert_eq!((state(&opened), opened.repaired_bytes), (states[4].clone(), 0));
}

#[test]
fn cut_at_every_byte_it_is_a_committed_state_or_refused() {
    let (bytes, states) = committed();
    let header = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in 0..bytes.len() {
        let content = parse(&bytes[..cut]);
        if cut < header {
            assert_eq!(content, Err(log::Damage::NoRegistry), "cut at {cut}");
        } else {
            let sound = bytes[..cut].iter().filter(|byte| **byte == b'\n').count() - 1;
            assert_eq!(content.unwrap().entries, states[sound], "cut at {cut}");
        }
    }
}

#[test]
fn a_torn_write_is_cut_off_and_the_next_commit_stands_behind_what_was_sound() {
    let (bytes, states) = committed();
    for cut in (300..bytes.len()).step_by(173) {
        let (folder, opened) = open_with(&bytes[..cut]);
        let mut opened = opened.unwrap();
        let sound = bytes[..cut].iter().filter(|byte| **byte == b'\n').count() - 1;
        assert_eq!(state(&opened), states[sound], "cut at {cut}");
        opened.registry.append(&[Change::Put(entry(9, 90).into())]).unwrap();
        drop(opened);
        let again = Registry::open(folder.path()).unwrap();
        assert_eq!((again.entries.len(), again.repaired_bytes), (states[sound].len() + 1, 0));
    }
}

#[test]
fn what_is_refused_is_left_as_it_is() {
    let (bytes, _) = committed();
    let mut damaged = bytes.clone();
    damaged[bytes.len() / 2] ^= 1;
    for (bytes, expected) in [
        (&bytes[..0], "registry.log: the first line is not that of a registry"),
        (&bytes[..20], "registry.log: the first line is not that of a registry"),
        (
            &damaged,
            "a line is broken and sound ones follow, so this is no torn write; run `shipper registry repair`",
        ),
    ] {
        let (folder, opened) = open_with(bytes);
        let refused = opened.unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
        assert_eq!(fs::read(folder.path().join("registry.log")).unwrap(), bytes);
    }
}

#[test]
fn flipped_at_every_bit_it_is_the_state_before_the_last_commit_or_refused() {
    let (bytes, states) = committed();
    let last_line = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            match parse(&damaged) {
                Ok(content) => {
                    assert!(at >= last_line, "flipped at {at}: not the last write, so no crash did it");
                    assert_eq!(content.entries, states[3], "flipped at {at}");
                    assert_eq!(content.sound_bytes, last_line as u64);
                }
                Err(_) => assert!(at < last_line, "flipped at {at}"),
            }
        }
    }
}

#[test]
fn zeros_that_a_crash_left_behind_are_cut_off() {
    let (mut bytes, states) = committed();
    let sound = bytes.len() as u64;
    bytes.extend([0; 5000]);
    let (folder, opened) = open_with(&bytes);
    let opened = opened.unwrap();
    assert_eq!((state(&opened), opened.repaired_bytes), (states[4].clone(), 5000));
    assert_eq!(fs::metadata(folder.path().join("registry.log")).unwrap().len(), sound);
}

fn anchor(topic: &str, offsets: &[(i32, i64)]) -> Change {
    Change::Anchor(Anchor::new(topic, &offsets.iter().copied().collect()))
}

#[test]
fn anchors_are_committed_with_their_group() {
    let folder = TempDir::new().unwrap();
    let mut registry = Registry::open(folder.path()).unwrap().registry;
    registry.append(&[Change::Put(entry(1, 10).into()), anchor("logs", &[(0, 5), (11, 7)])]).unwrap();
    registry.append(&[anchor("debug", &[(0, 1)])]).unwrap();
    registry.note(&[anchor("logs", &[(0, 6), (11, 7)]), anchor("debug", &[])]).unwrap();
    let expected = Anchors::from([("logs".to_owned(), [(0, 6), (11, 7)].into())]);
    drop(registry);
    let mut opened = Registry::open(folder.path()).unwrap();
    assert_eq!(opened.anchors, expected);
    opened.registry.rewrite(opened.entries.into_iter(), &opened.anchors).unwrap();
    drop(opened.registry);
    let again = Registry::open(folder.path()).unwrap();
    assert_eq!((again.anchors, again.entries), (expected, vec![entry(1, 10)]));
}

#[test]
fn the_version_before_is_read_and_written_anew() {
    let mut bytes = log::header_of(1);
    log::push_group(&mut bytes, &[Change::Put(entry(1, 10).into())]).unwrap();
    let (folder, opened) = open_with(&bytes);
    let Opened { mut registry, entries, anchors, .. } = opened.unwrap();
    assert_eq!((&entries[..], registry.wants_rewrite()), (&[entry(1, 10)][..], true));
    registry.rewrite(entries.into_iter(), &anchors).unwrap();
    assert!(fs::read(folder.path().join("registry.log")).unwrap().starts_with(&log::header()));
}

#[test]
fn another_version_is_refused() {
    let (_folder, opened) = open_with(&log::header_of(3));
    let refused = opened.unwrap_err().to_string();
    assert!(refused.contains("format version 3, which this program does not know"), "{refused}");
}

#[test]
fn a_second_owner_is_refused_until_the_first_is_gone() {
    let folder = TempDir::new().unwrap();
    let first = Registry::open(folder.path()).unwrap();
    assert!(matches!(Registry::open(folder.path()), Err(RegistryError::Locked { .. })));
    drop(first);
    Registry::open(folder.path()).unwrap();
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (0u128..6, any::<u32>()).prop_map(|(stream, offset)| Change::Put(entry(stream, offset.into()).into())),
        1 => (0u128..6).prop_map(|stream| Change::Remove(StreamId::from_u128(stream))),
    ]
}

proptest! {
    #[test]
    fn any_groups_are_read_back(groups in prop::collection::vec(prop::collection::vec(change(), 0..5), 0..6)) {
        let (mut bytes, mut expected) = (log::header(), State::new());
        for group in &groups {
            log::push_group(&mut bytes, group).unwrap();
            apply(&mut expected, group);
        }
        let content = parse(&bytes).unwrap();
        prop_assert_eq!(content.entries, expected);
        prop_assert_eq!(content.sound_bytes, bytes.len() as u64);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(parse(&bytes).is_err());
    }
}

/// A disk writes the pages of one write in any order.
#[test]
fn a_commit_of_many_streams_that_is_torn_in_its_middle_is_cut_off() {
    let (folder, opened) = open_with(&log::header());
    let mut registry = opened.unwrap().registry;
    registry.append(&[Change::Put(entry(1, 10).into())]).unwrap();
    let sound = fs::metadata(registry.path()).unwrap().len() as usize;
    let many: Vec<_> = (2..1000).map(|stream| Change::Put(entry(stream, 5).into())).collect();
    registry.append(&many).unwrap();
    drop(registry);
    let whole = fs::read(folder.path().join("registry.log")).unwrap();
    for page in [0, 1, 40] {
        let mut torn = whole.clone();
        let hole = sound + page * 4096;
        torn[hole..hole + 4096].fill(0);
        let (_folder, opened) = open_with(&torn);
        assert_eq!(opened.unwrap().entries, [entry(1, 10)], "page {page}");
    }
}

#[test]
fn flipped_at_every_byte_it_is_repaired_to_what_was_committed() {
    let (bytes, states) = committed();
    for at in 0..bytes.len() {
        for bit in [at % 8, (at + 3) % 8] {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            let mended = mend::mend(&damaged).unwrap();
            // In the last line a flipped bit looks like a torn write: it is cut off, as every start does.
            if mended.torn_bytes > 0 {
                assert_eq!((&mended.content.entries, mended.flips.len()), (&states[3], 0), "flipped at {at}");
                assert!(log::parse(&damaged).is_ok());
            } else {
                assert_eq!((&mended.bytes, &mended.flips), (&bytes, &vec![at]), "bit {bit}");
            }
        }
    }
}

#[test]
fn what_has_no_single_explanation_is_not_repaired() {
    let (bytes, _) = committed();
    let line = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for damage in [
        // Two bits of one line, a hole, and a line that is missing its end.
        |bytes: &mut Vec<u8>, at: usize| [at + 20, at + 40].into_iter().for_each(|at| bytes[at] ^= 4),
        |bytes: &mut Vec<u8>, at: usize| bytes[at + 10..at + 60].fill(0),
        |bytes: &mut Vec<u8>, at: usize| drop(bytes.drain(at + 10..at + 60)),
    ] {
        let mut damaged = bytes.clone();
        damage(&mut damaged, line);
        assert_eq!(mend::mend(&damaged), Err(log::Damage::Broken { at: line as u64 }));
    }
    assert_eq!(mend::mend(b""), Err(log::Damage::NoRegistry));
    assert_eq!(mend::mend(&log::header_of(9)), Err(log::Damage::OtherVersion(9)));
}

#[test]
fn a_repair_keeps_what_was_there_and_changes_nothing_that_is_sound() {
    let (bytes, states) = committed();
    let mut damaged = bytes.clone();
    damaged[100] ^= 2;
    let (folder, opened) = open_with(&damaged);
    opened.unwrap_err();
    let now = Timestamp::from_millis(5);
    let repaired = Registry::repair(folder.path(), now).unwrap();
    assert_eq!((&repaired.flips[..], repaired.torn_bytes, repaired.streams), (&[100][..], 0, 2));
    assert_eq!(fs::read(repaired.copy.unwrap()).unwrap(), damaged);
    assert_eq!(Registry::repair(folder.path(), now).unwrap().copy, None);
    let opened = Registry::open(folder.path()).unwrap();
    assert_eq!(state(&opened), states[4]);
    assert!(matches!(Registry::repair(folder.path(), now), Err(RegistryError::Locked { .. })));
}
