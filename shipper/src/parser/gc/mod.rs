//! Garbage-collection logs of a JVM: how full the old generation is after each collection.
//!
//! Enters: one line, or several joined, of unified logging (JDK 9 and later) or of JDK 8 with
//! `PrintGCDetails`. Leaves: `jvm.memory.old.used` and `.max` in bytes, the heap's, and the collection's
//! name, on the line that completes them. Never: a number for the old generation where the log has none; ZGC
//! and Shenandoah give the heap alone.
//!
//! Where the numbers come from, by collector:
//!
//! | log | old generation |
//! |---|---|
//! | Parallel, Serial, CMS, unified | as printed: `ParOldGen: 8K(98304K)->320K(98304K)` |
//! | Parallel, Serial, CMS, JDK 8, full collection | as printed: `[ParOldGen: 8K->320K(98304K)]` |
//! | Parallel, Serial, CMS, JDK 8, young collection | heap minus young generation of the same line, exact |
//! | CMS, JDK 8, initial mark and remark | as printed; an occupancy during marking, not after a collection |
//! | G1, unified | old, humongous and archive regions times the region size |
//! | G1, JDK 8 | heap minus eden minus survivors of the `[Eden: ...]` line |
//!
//! G1 has no fixed old generation. Its maximum is taken as the heap's capacity minus the eden's target minus
//! the survivors, which is what G1 leaves for old regions until the next collection. Regions are counted
//! whole, so used is up to one region too high for each partly filled one, and used can pass the maximum
//! while G1 shrinks eden: such a value above 100 % is real pressure, and stays.

mod preunified;
mod size;
mod unified;

use event::{Fields, Timestamp};

use self::preunified::Preunified;
use self::unified::Unified;
use super::time::Clock;

/// What one stream's log has said so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Gc {
    unified: Unified,
    preunified: Preunified,
}

impl Gc {
    /// Reads one record; `fields` stay untouched when none of its lines is a line of such a log.
    pub(super) fn parse<'a>(&mut self, text: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
        let mut is_recognised = false;
        for line in text.split('\n') {
            is_recognised |= self.read_line(line, clock, fields);
        }
        if text.contains('\n') {
            // A message is one line's rest; of several lines the message is the whole record.
            fields.message = None;
        }
        is_recognised
    }

    fn read_line<'a>(&mut self, line: &'a str, clock: &mut Clock, fields: &mut Fields<'a>) -> bool {
        self.unified.read(line, clock, fields) || self.preunified.read(line, clock, fields)
    }
}

/// True when `text` starts as only such a log does, so that one line is enough to know the stream by.
pub(super) fn is_certain(text: &str, clock: &mut Clock) -> bool {
    unified::Line::read(text, clock).is_some() || preunified::is_certain(text, clock)
}

/// Keeps the first time of a record.
fn set_time(fields: &mut Fields<'_>, time: Option<Timestamp>) {
    fields.timestamp = fields.timestamp.or(time);
}

#[cfg(test)]
mod test;
