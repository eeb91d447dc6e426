//! Apache's error log, 2.2 and 2.4.
//!
//! Enters: one line. Leaves: its level, module, process, client, message. Never: a line without time and
//! level in brackets.
//!
//! ```text
//! [Mon Dec 26 16:22:08 2016] [error] [client 192.168.33.1] File does not exist: /var/www/favicon.ico
//! [Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:80] AH00036: ...
//! ```

use event::{Fields, Level, Text};

use super::time::Clock;

/// Reads one line; `fields` stay untouched when it is no line of Apache.
pub(super) fn parse<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
    read(text, clock, fields).is_some()
}

fn read<'a>(text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> Option<()> {
    let (time, taken) = clock.asctime(text.as_bytes().strip_prefix(b"[")?)?;
    let rest = text.get(1 + taken..)?.strip_prefix("] ")?;
    let (place, mut rest) = bracket(rest)?;
    let (module, level) =
        place.split_once(':').map_or((None, place), |(module, level)| (Some(module), level));
    // `trace1` to `trace8` of 2.4.
    let level = Level::parse(level.trim_end_matches(|digit: char| digit.is_ascii_digit()))?;
    fields.timestamp = Some(time);
    fields.level = Some(level);
    fields.logger = module.filter(|module| !module.is_empty() && *module != "-").map(Text::Plain);
    while let Some((inside, behind)) = bracket(rest) {
        if let Some(process) = inside.strip_prefix("pid ") {
            let (pid, tid) = process.split_once(":tid ").unwrap_or((process, ""));
            fields.process_pid = pid.parse().ok();
            fields.thread_id = tid.parse().ok();
        } else if let Some(client) = inside.strip_prefix("client ").or_else(|| inside.strip_prefix("remote "))
        {
            fields.source_address = Some(Text::Plain(without_port(client)));
        } else {
            break;
        }
        rest = behind;
    }
    fields.message = Some(rest).filter(|message| !message.is_empty()).map(Text::Plain);
    Some(())
}

fn bracket(text: &str) -> Option<(&str, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    Some((inside, rest.strip_prefix(' ').unwrap_or(rest)))
}

/// An address without `:port`; an IPv6 address without a port has more than one colon and no bracket.
fn without_port(client: &str) -> &str {
    match client.rsplit_once(':') {
        Some((address, port)) if !address.contains(':') && port.parse::<u16>().is_ok() => address,
        _ => client,
    }
}

#[cfg(test)]
mod test {
    use crate::parser::{ParserConfig, shape};

    fn check(text: &str, expected: &str) {
        assert_eq!(shape::show(ParserConfig::ApacheError, text), expected, "{text}");
    }

    #[test]
    fn lines() {
        check(
            "[Mon Dec 26 16:22:08 2016] [error] [client 192.168.33.1] File does not exist: /x",
            "2016-12-26T16:22:08.000Z error message=File does not exist: /x from=192.168.33.1",
        );
        check(
            "[Fri Sep 09 10:42:29.902022 2011] [core:error] [pid 35708:tid 4328636416] [client 72.15.99.187:80] [x] gone",
            "2011-09-09T10:42:29.902022000Z error message=[x] gone logger=core from=72.15.99.187 pid=35708 tid=4328636416",
        );
        check(
            "[Mon Dec 26 16:15:55.103522 2016] [ssl:trace3] [pid 11379] [client ::1] hello",
            "2016-12-26T16:15:55.103522000Z trace message=hello logger=ssl from=::1 pid=11379",
        );
        for text in ["", "[", "[Mon Dec 26 16:22:08 2016] no level", "[error] x"] {
            check(text, "unrecognised");
        }
    }
}
