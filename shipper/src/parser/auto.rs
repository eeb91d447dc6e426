//! Finds out what a stream's records are.
//!
//! Enters: any text. Leaves: what the parser that knows it makes of it, or of plain text. Never: a parser
//! that would take text of another kind: in here only unmistakable shapes count, and logs without one are
//! named in the configuration.
//!
//! A stream mostly repeats itself, so the parser that took the last record tries first. Else the first byte
//! says which can take it at all.
//!
//! Measured (`benches/parse.rs`): where the last guess holds, a line costs what it costs with its parser
//! named. Where every guess fails, as on prose, it costs twice that, a seventh of a microsecond; so the first
//! byte settles most guesses, and the rest fail at their first separator.

use event::{Fields, Timestamp};

use super::head::Head;
use super::{ParserConfig, State, gc};

/// What took the stream's last record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Auto {
    last: Option<ParserConfig>,
}

impl Auto {
    /// Reads one record of any kind.
    pub(super) fn parse<'a>(
        &mut self,
        text: &'a str,
        read_at: Timestamp,
        state: &mut State,
        fields: &mut Fields<'a>,
    ) {
        match self.last {
            Some(ParserConfig::Spring) | None => {}
            Some(last) if parse_certain(last, true, text, read_at, state, fields) => return,
            Some(_) => {}
        }
        // A line of text is tried as such before all else only when the last one was: several formats start
        // as it does. nginx's error log has a time and a level too; its date is written with slashes.
        if self.last == Some(ParserConfig::Spring) && text.as_bytes().get(4) != Some(&b'/') {
            let head = Head::read(text, read_at, &mut state.clock);
            if head.is_whole() {
                head.fill(text, fields);
                return;
            }
        }
        let others = candidates(text).iter().filter(|config| self.last != Some(**config));
        for config in others {
            if parse_certain(*config, false, text, read_at, state, fields) {
                self.last = Some(*config);
                return;
            }
        }
        let head = Head::read(text, read_at, &mut state.clock);
        if head.is_whole() {
            self.last = Some(ParserConfig::Spring);
        }
        head.fill(text, fields);
    }
}

/// The parsers that text with this first byte can belong to; the most particular one first.
fn candidates(text: &str) -> &'static [ParserConfig] {
    match text.as_bytes().first() {
        Some(b'{') => &[ParserConfig::Json],
        Some(b'[') => &[ParserConfig::Gin, ParserConfig::Gc, ParserConfig::ApacheError],
        Some(b'0'..=b'9') => {
            &[ParserConfig::NginxError, ParserConfig::Gc, ParserConfig::Gin, ParserConfig::NginxAccess]
        }
        Some(b'a'..=b'z' | b'A'..=b'Z') => &[ParserConfig::Logfmt, ParserConfig::NginxAccess],
        Some(b':') => &[ParserConfig::NginxAccess],
        Some(b'@') => &[ParserConfig::Logfmt],
        Some(0x1b | b'\n') => &[ParserConfig::Gin],
        _ => &[],
    }
}

/// Lets one parser try, with the stricter test that a guess needs.
fn parse_certain<'a>(
    config: ParserConfig,
    is_last: bool,
    text: &'a str,
    read_at: Timestamp,
    state: &mut State,
    fields: &mut Fields<'a>,
) -> bool {
    let is_possible = match config {
        ParserConfig::Gc => is_last || gc::is_certain(text, &mut state.clock),
        ParserConfig::Json => text.starts_with('{'),
        _ => true,
    };
    if !is_possible || !state.parse(config, text, read_at, fields) {
        return false;
    }
    // `a=b` alone is a line of pairs as well as a line of a shell script.
    let is_certain = config != ParserConfig::Logfmt
        || fields.level.is_some()
        || (fields.message.is_some() && (fields.timestamp.is_some() || !fields.labels.is_empty()));
    if !is_certain {
        *fields = Fields::default();
    }
    is_certain
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(texts: &[&str], expected: &[&str]) {
        assert_eq!(shape::show_each(ParserConfig::Auto, texts), expected, "{texts:?}");
    }

    #[test]
    fn every_kind_is_found_in_any_order() {
        let lines = [
            ("plain text", "-"),
            (r#"{"level":"warn","msg":"m"}"#, "warn message=m"),
            ("level=error msg=boom id=7", "error message=boom labels={id=7}"),
            (
                r#"[GIN] 2026/11/23 - 10:30:45 | 200 | 1.2ms | 127.0.0.1 | GET "/ping""#,
                "2026-11-23T10:30:45.000Z info method=GET url=/ping path=/ping from=127.0.0.1 status=200 ns=1200000",
            ),
            (
                "2026-11-23 10:30:45,123 ERROR [w] c.e.H - failed",
                "2026-11-23T10:30:45.123Z error message=failed logger=c.e.H thread=w",
            ),
            (
                r#"::1 - - [26/Dec/2016:16:16:29 +0200] "GET / HTTP/1.1" 404 209"#,
                "2016-12-26T14:16:29.000Z warn method=GET version=1.1 url=/ path=/ from=::1 status=404 bytes=209",
            ),
            (
                "2016/10/25 14:49:34 [error] 54053#0: *1 boom",
                "2016-10-25T14:49:34.000Z error message=boom pid=54053 tid=0 labels={connection=Int(1)}",
            ),
            (
                "[Mon Dec 26 16:22:08 2016] [error] [client ::1] gone",
                "2016-12-26T16:22:08.000Z error message=gone from=::1",
            ),
            (
                "[0.666s][info][gc,heap] GC(0) ParOldGen: 0K(98304K)->8K(98304K)",
                "info message=GC(0) ParOldGen: 0K(98304K)->8K(98304K) logger=gc,heap gc=- old=8K/98304K heap=-/-",
            ),
            (
                "0.051: [GC (Allocation Failure) [PSYoungGen: 512K->480K(1024K)] 512K->496K(261632K), 0.0007 secs]",
                "info gc=GC (Allocation Failure) old=16K/260608K heap=496K/261632K",
            ),
            (
                "[2018-05-17T08:19:35,939][WARN ][o.e.n.Node] hello",
                "2018-05-17T08:19:35.939Z warn message=hello logger=o.e.n.Node",
            ),
            ("ERROR disk full", "error message=disk full"),
            (
                "E1123 09:30:45.123456   7 a.go:1] lost",
                "2026-11-23T09:30:45.123456000Z error message=lost pid=7 labels={caller=a.go:1}",
            ),
        ];
        // Whatever came before, each line is read the same.
        for (first, _) in lines {
            for (text, expected) in lines {
                let shown = shape::show_each(ParserConfig::Auto, &[first, text]);
                assert_eq!(shown[1], expected, "{text:?} after {first:?}");
            }
        }
    }

    #[test]
    fn lines_within_a_record_of_a_collection_are_known_only_after_one() {
        check(&["   [Parallel Time: 2.1 ms, GC Workers: 8]"], &["-"]);
        check(
            &["7.2: [GC pause (young), 0.002 secs]", "   [Parallel Time: 2.1 ms, GC Workers: 8]", "hello"],
            &["info", "info", "-"],
        );
    }

    #[test]
    fn what_only_looks_like_a_kind() {
        for text in [
            "a=b",
            "export PATH=/bin",
            "{not json",
            "[x]",
            "3 little pigs",
            "1.5: nothing",
            "::1",
            "\u{1b}[1m",
            "\n",
        ] {
            check(&[text], &["-"]);
        }
    }
}
