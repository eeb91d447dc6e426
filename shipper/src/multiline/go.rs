//! Go panics and fatal errors, with the stacks of all goroutines.
//!
//! Enters: the lines of a stream. Leaves: what each is in a dump. Never: a panic as a part of the line before
//! it, which is another goroutine's and has nothing to do with it, unless that line reports an error.

use super::preset::Sign;

/// Whether the stream stands within a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Go {
    is_inside: bool,
    /// The line before this one has a header and reports an error.
    is_below_error: bool,
}

/// Bytes of a record's first line in which its level is looked for.
const LEVEL_BYTES: usize = 80;

impl Go {
    /// A line that starts a record: `http: panic serving ...` has its stack below.
    pub(super) fn begin(&mut self, line: &[u8]) {
        let start = line.get(..LEVEL_BYTES).unwrap_or(line);
        let levels: [&[u8]; 3] = [b"ERROR", b"FATAL", b"PANIC"];
        let mut capitals = memchr::memchr3_iter(b'E', b'F', b'P', start);
        self.is_inside = false;
        self.is_below_error = capitals.any(|at| {
            let word = start.get(at..).unwrap_or_default();
            levels.iter().any(|level| word.starts_with(level))
        });
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let starts = |words: &[&[u8]]| words.iter().any(|word| line.starts_with(word));
        let is_below_error = std::mem::take(&mut self.is_below_error);
        if starts(&[
            b"panic: ",
            b"fatal error: ",
            b"runtime: goroutine stack exceeds",
            b"SIGQUIT: ",
            b"SIGABRT: ",
        ]) {
            self.is_inside = true;
            return if is_below_error { Sign::Inside } else { Sign::Alone };
        }
        if starts(&[b"goroutine "]) && line.ends_with(b"]:") {
            self.is_inside = true;
            return Sign::Inside;
        }
        self.is_inside = self.is_inside
            && (line.is_empty()
                || starts(&[
                    b"\t",
                    b"created by ",
                    b"[signal ",
                    b"[originating from ",
                    b"exit status ",
                    b"...",
                ])
                || is_call(line));
        if self.is_inside { Sign::Inside } else { Sign::Other }
    }
}

/// `main.(*Server).serve(0xc000, {0x1, 0x2})`: one word up to its first bracket, and a bracket at the end.
fn is_call(line: &[u8]) -> bool {
    let open = memchr::memchr(b'(', line).filter(|open| *open > 0);
    line.ends_with(b")") && open.is_some_and(|open| memchr::memchr(b' ', &line[..open]).is_none())
}
