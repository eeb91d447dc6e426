//! Lines against a split of the whole text at once, in every encoding and however the bytes come.

use proptest::prelude::*;

use super::*;
use crate::input::file::Encoding;

fn encoding(name: &str) -> Encoding {
    yaml::parse("test.yml", name).unwrap()
}

fn framer(line_end: &str, name: &str, limit: Limit) -> Framer {
    Framer::new(0, LineEnd::new(line_end, encoding(name)).unwrap(), limit)
}

const CUT: Limit = Limit { bytes_max: 8, is_split: false };
const SPLIT: Limit = Limit { bytes_max: 8, is_split: true };

/// Feeds `bytes` as they come in steps of the given sizes, from the first byte that has no piece yet, and no more of
/// them at a time than a reader keeps.
fn pieces(framer: &mut Framer, bytes: &[u8], steps: &[usize], is_over: bool) -> Vec<Piece> {
    let (mut found, mut there) = (Vec::new(), 0);
    for step in steps.iter().copied().chain([bytes.len()]) {
        there = (there + step).min(bytes.len());
        loop {
            let base = framer.position() as usize;
            let end = there.min((framer.seen() as usize).max(base) + 40);
            let before = (found.len(), framer.seen(), framer.ahead());
            while let Some(piece) = framer.next(base as u64, &bytes[base.min(end)..end]) {
                found.push(piece);
            }
            if let Some(ahead) = framer.ahead().map(|ahead| ahead as usize)
                && end < there
            {
                framer.look(&bytes[ahead.min(there)..there.min(ahead + 40)]);
            }
            if before == (found.len(), framer.seen(), framer.ahead()) {
                break;
            }
        }
    }
    if is_over {
        framer.finish(bytes.len() as u64);
        let base = framer.position() as usize;
        while let Some(piece) = framer.next(base as u64, &bytes[base..]) {
            found.push(piece);
        }
    }
    merged(found)
}

/// The rest of a cut line, and a hole, may come in any number of pieces.
fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut merged: Vec<Piece> = Vec::new();
    for piece in pieces {
        match (merged.last_mut(), piece) {
            (Some(Piece::Rest { end: last }), Piece::Rest { end })
            | (Some(Piece::Hole { end: last }), Piece::Hole { end }) => *last = end,
            _ => merged.push(piece),
        }
    }
    merged
}

fn line(start: u64, text_end: u64, end: u64) -> Piece {
    Piece::Line(Line { start, text_end, end, flaw: Flaw::None })
}

fn cut(start: u64, end: u64, text_end: u64) -> Piece {
    Piece::Line(Line { start, text_end: end, end, flaw: Flaw::Cut { text_end: Some(text_end) } })
}

fn part(start: u64, text_end: u64, end: u64) -> Piece {
    Piece::Line(Line { start, text_end, end, flaw: Flaw::Part })
}

fn check(limit: Limit, text: &str, expected: &[Piece]) {
    for steps in [vec![], vec![1; text.len()]] {
        let mut framer = framer("\n", "utf-8", limit);
        assert_eq!(pieces(&mut framer, text.as_bytes(), &steps, false), expected, "{text:?} {}", steps.len());
    }
}

#[test]
fn lines_and_what_is_too_long_of_them() {
    check(CUT, "", &[]);
    check(CUT, "no end", &[]);
    check(CUT, "\n\n", &[line(0, 0, 1), line(1, 1, 2)]);
    check(CUT, "one\r\ntwo\nth", &[line(0, 3, 5), line(5, 8, 9)]);
    check(CUT, "12345678\r\n", &[line(0, 8, 10)]);
    check(CUT, "123456789\r\nx\n", &[cut(0, 8, 9), Piece::Rest { end: 11 }, line(11, 12, 13)]);
    check(CUT, "1234567é\n", &[cut(0, 7, 9), Piece::Rest { end: 10 }]);
    check(CUT, "12345678é and no end", &[]);
    check(SPLIT, "12345678\n", &[line(0, 8, 9)]);
    check(SPLIT, "1234567812345678\n", &[part(0, 8, 8), part(8, 16, 17)]);
    check(SPLIT, "12345678é\nx\n", &[part(0, 8, 8), part(8, 10, 11), line(11, 12, 13)]);
}

#[test]
fn holes_are_no_text_wherever_they_lie() {
    let hole = "\0".repeat(100);
    check(CUT, &format!("{hole}a\n"), &[Piece::Hole { end: 100 }, line(100, 101, 102)]);
    check(CUT, "\0a\n", &[Piece::Hole { end: 1 }, line(1, 2, 3)]);
    check(CUT, &format!("a\n{hole}\n"), &[line(0, 1, 2), Piece::Hole { end: 102 }, line(102, 102, 103)]);
    check(CUT, &format!("torn{hole}a\n"), &[line(0, 4, 4), Piece::Hole { end: 104 }, line(104, 105, 106)]);
    check(CUT, "a\0b\n", &[line(0, 3, 4)]);
    check(CUT, &format!("torn{hole}"), &[]);
    check(CUT, &hole, &[]);
}

#[test]
fn what_waits_comes_when_the_stream_is_over() {
    let hole = "\0".repeat(100);
    for (text, expected) in [
        ("a\nb\r", vec![line(0, 1, 2), line(2, 3, 4)]),
        (hole.as_str(), vec![Piece::Hole { end: 100 }]),
        (&format!("torn{hole}"), vec![line(0, 4, 4), Piece::Hole { end: 104 }]),
        ("12345678901234567890123456789", vec![cut(0, 8, 29), Piece::Rest { end: 29 }]),
        ("", vec![]),
    ] {
        assert_eq!(pieces(&mut framer("\n", "utf-8", CUT), text.as_bytes(), &[], true), expected, "{text:?}");
    }
}

#[test]
fn what_a_writer_fills_in_later_is_read() {
    let mut framer = framer("\n", "utf-8", CUT);
    let mapped = |text: &str| [text.as_bytes(), &vec![0; 100 - text.len()]].concat();
    assert_eq!(pieces(&mut framer, &mapped("on"), &[], false), []);
    assert_eq!(pieces(&mut framer, &mapped("one\nt"), &[], false), [line(0, 3, 4)]);
    assert_eq!(pieces(&mut framer, &mapped("one\ntwo\n"), &[], false), [line(4, 7, 8)]);
}

#[test]
fn an_unfinished_line_can_be_taken_up_to_its_last_whole_character() {
    let mut framer = framer("\n", "gbk", Limit { bytes_max: 100, is_split: false });
    let text = b"\xc4\xe3\xba";
    assert_eq!(framer.next(0, text), None);
    let line = framer.take_unfinished(0, text).unwrap();
    assert_eq!((line.start, line.text_end, line.end), (0, 2, 2));
    assert_eq!(framer.take_unfinished(2, &text[2..]), None);
}

/// The same over the whole text at once, by characters.
fn naive(text: &str, end: &str, name: &str, limit: Limit) -> Vec<Piece> {
    let encoding = encoding(name);
    let len = |text: &str| encoding.encode(text).unwrap().len() as u64;
    let (mut found, mut start) = (Vec::new(), 0);
    for whole in text.split_inclusive(end) {
        let Some(body) = whole.strip_suffix(end) else { break };
        let body = if end == "\n" { body.strip_suffix('\r').unwrap_or(body) } else { body };
        let (behind, mut at, mut is_part, mut left) = (start + len(whole), start, false, body);
        while len(left) > limit.bytes_max as u64 {
            let mut taken = String::new();
            for character in left.chars() {
                taken.push(character);
                if len(&taken) > limit.bytes_max as u64 {
                    taken.pop();
                    break;
                }
            }
            left = &left[taken.len()..];
            if !limit.is_split {
                found.push(cut(at, at + len(&taken), start + len(body)));
                found.push(Piece::Rest { end: behind });
                break;
            }
            found.push(part(at, at + len(&taken), at + len(&taken)));
            (at, is_part) = (at + len(&taken), true);
        }
        if is_part {
            found.push(part(at, start + len(body), behind));
        } else if len(body) <= limit.bytes_max as u64 {
            found.push(line(start, start + len(body), behind));
        }
        start = behind;
    }
    found
}

const NAMES: [&str; 8] = ["utf-8", "utf-16le", "utf-16be", "gbk", "gb18030", "big5", "shift_jis", "euc-jp"];

proptest! {
    #[test]
    fn agrees_with_a_split_of_the_whole_text(
        // Characters whose bytes hold those of line ends: U+4E0A, U+4E0D, and such as end in 5C or 7C in GBK or Big5.
        text in "([a|\u{4e0a}\u{4e0d}\u{80fd}\u{8a31}\u{30bd}]{0,12}(\r?\n|\\|\n|\0)){0,8}[a\u{4e0a}]{0,20}",
        steps in prop::collection::vec(0usize..9, 0..40),
        bytes_max in 4usize..40,
        is_split: bool,
        name in prop::sample::select(&NAMES[..]),
        end in prop::sample::select(&["\n", "|", "|\n", "\r\n", "a\u{4e0a}"][..]),
    ) {
        let mut text = text.replace('\0', if end == "\n" { "" } else { end });
        if is_split {
            // Parts of a last line without an end come at once.
            text.push_str(end);
        }
        let Some(bytes) = encoding(name).encode(&text) else { return Ok(()) };
        let limit = Limit { bytes_max, is_split };
        let found = pieces(&mut framer(end, name, limit), &bytes, &steps, false);
        prop_assert_eq!(found, naive(&text, end, name, limit));
    }

    #[test]
    fn any_bytes_give_pieces_that_lie_one_behind_the_other(
        bytes in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(0), 1 => Just(b'\n')], 0..200),
        holes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40), 0..3),
        steps in prop::collection::vec(0usize..30, 0..20),
        is_split: bool,
        name in prop::sample::select(&NAMES[..]),
        end in prop::sample::select(&["\n", "|", "\0", "|\n"][..]),
    ) {
        let mut bytes = bytes;
        for (at, len) in holes {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, vec![0; len]);
        }
        let limit = Limit { bytes_max: 16, is_split };
        let at_once = pieces(&mut framer(end, name, limit), &bytes, &[], true);
        let in_steps = pieces(&mut framer(end, name, limit), &bytes, &steps, true);
        let mut position = 0;
        for piece in &at_once {
            position = match *piece {
                Piece::Line(line) => {
                    prop_assert!(line.start == position && line.start <= line.text_end && line.text_end <= line.end);
                    line.end
                }
                Piece::Rest { end } | Piece::Hole { end } => {
                    prop_assert!(end > position);
                    end
                }
            };
        }
        prop_assert_eq!(position, bytes.len() as u64);
        prop_assert_eq!(at_once, in_steps);
    }
}
