//! The language of scenarios.
//!
//! Enters: nothing. Leaves: names for what can happen to a log, a shipper, a broker and a disk. Never: how it is done.

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// A pen opens a file for appending, or makes it; what it had open it lets go. Its name is its stream.
    Open(String, String),
    /// A pen writes whole lines.
    Write(String, u64),
    /// A pen writes half of a line; its next lines bring the rest.
    Half(String),
    /// A pen writes one line with this many bytes of noise.
    Long(String, usize),
    /// A pen writes about this many bytes of lines that are the same in every file, and that nobody counts.
    Banner(String, usize),
    /// A command in the folder of the logs: what an operator or logrotate types.
    Shell(String),
    /// The folder of the logs is empty: a network share that does not answer. Pens that have a file open write on.
    Cover,
    /// A file is there under a second name too, which is an empty file so far.
    Bind(String, String),
    /// What was mounted under this name goes; the folder itself is the empty name.
    Unmount(String),
    /// Makes `app.log` again and again, until it has the inode of the one that it removes.
    ReuseInode(String),
    /// The shipper starts.
    Start,
    /// SIGTERM, and it ends.
    Stop,
    /// `kill -9`.
    Kill,
    /// SIGSTOP.
    Freeze,
    /// SIGCONT.
    Thaw,
    /// Until everything that was written has arrived, or nothing arrives any more.
    Shipped,
    /// A pen writes at a rate while the steps happen.
    During(Load, Vec<Step>),
    /// Until the load has written this many further lines: time, as a service knows it.
    Lines(u64),
    /// The same with 1 to this many lines, as the dice fall.
    SomeLines(u64),
    /// The steps, so many times.
    Repeat(u64, Vec<Step>),
    /// The steps; meanwhile the shipper's time on the processor and its memory are watched.
    Watch(Vec<Step>),
    /// The broker is gone.
    BrokerDown,
    /// It is back.
    BrokerUp,
    /// Nobody may write to the topic.
    Deny,
    /// Everybody may again.
    Allow,
}

/// What a service writes while things happen.
#[derive(Debug, Clone)]
pub struct Load {
    /// The pen; it is opened on `file` when it is new.
    pub pen: String,
    /// Its file.
    pub file: String,
    /// How fast.
    pub lines_per_second: u64,
    /// Lines between two rotations.
    pub rotate_lines: u64,
    /// How it is rotated; the pen opens `file` again afterwards.
    pub rotate: String,
}

impl Load {
    /// Pen `a` on `app.log`, never rotated.
    #[must_use]
    pub fn steady(lines_per_second: u64) -> Self {
        Load {
            pen: "a".to_owned(),
            file: "app.log".to_owned(),
            lines_per_second,
            rotate_lines: u64::MAX,
            rotate: String::new(),
        }
    }

    /// The same, renamed as logrotate does after so many lines; `keep` older files stay.
    #[must_use]
    pub fn rotated(lines_per_second: u64, rotate_lines: u64, keep: u64) -> Self {
        Load { rotate_lines, rotate: rename_chain(keep), ..Load::steady(lines_per_second) }
    }

    /// The same, copied by a command and cut.
    #[must_use]
    pub fn copied(lines_per_second: u64, rotate_lines: u64, copy: &str) -> Self {
        let rotate = format!("{copy}; : > app.log");
        Load { rotate_lines, rotate, ..Load::steady(lines_per_second) }
    }
}

/// `app.log` becomes `app.log.1`, that becomes `app.log.2`; the one behind `keep` is overwritten.
#[must_use]
pub fn rename_chain(keep: u64) -> String {
    let older: String = (1..keep)
        .rev()
        .map(|number| format!("[ ! -e app.log.{number} ] || mv app.log.{number} app.log.{}; ", number + 1))
        .collect();
    format!("{older}mv app.log app.log.1")
}

/// A pen opens a file.
#[must_use]
pub fn open(pen: &str, file: &str) -> Step {
    Step::Open(pen.to_owned(), file.to_owned())
}

/// A pen writes lines.
#[must_use]
pub fn write(pen: &str, lines: u64) -> Step {
    Step::Write(pen.to_owned(), lines)
}

/// A command in the folder of the logs.
#[must_use]
pub fn shell(command: &str) -> Step {
    Step::Shell(command.to_owned())
}
