//! Go panics and fatal errors, with the stacks of all goroutines.
//!
//! Enters: the lines of a stream. Leaves: what each is in a dump. Never: a panic as a part of the line before
//! it, which is another goroutine's and has nothing to do with it.

use super::preset::Sign;

/// Whether the stream stands within a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Go {
    is_inside: bool,
}

impl Go {
    /// A line that starts a record: `http: panic serving ...` has its stack below.
    pub(super) fn begin(&mut self) {
        self.is_inside = false;
    }

    /// What `line` is.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let starts = |words: &[&[u8]]| words.iter().any(|word| line.starts_with(word));
        if starts(&[
            b"panic: ",
            b"fatal error: ",
            b"runtime: goroutine stack exceeds",
            b"SIGQUIT: ",
            b"SIGABRT: ",
        ]) {
            self.is_inside = true;
            return Sign::Alone;
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
