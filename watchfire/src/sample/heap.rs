//! The garbage-collection log of a JVM with a 256 MB old generation, as `-Xlog:gc*` of JDK 17 prints it.
//!
//! Enters: the service's mode. Leaves: one full collection for each half second; while the service leaks, each leaves more in use.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use daemon::Shutdown;
use event::Timestamp;

use super::{Mode, Service};

const OLD_MAX_KB: u64 = 262_144;
const OLD_HEALTHY_KB: u64 = 96_000;
const OLD_LEAKED_KB: u64 = 246_000;
const LEAK_KB: u64 = 40_000;
const PAUSE: Duration = Duration::from_millis(500);

/// Writes collections until `shutdown`.
pub async fn run(service: Arc<Service>, mut file: File, shutdown: Shutdown) {
    let mut old_kb = OLD_HEALTHY_KB;
    for number in 0_u64.. {
        old_kb =
            if service.is(Mode::Leaking) { (old_kb + LEAK_KB).min(OLD_LEAKED_KB) } else { OLD_HEALTHY_KB };
        let jitter = number * 733 % 2000;
        // A full disk must not end the service that is watched for it.
        let _ = file.write_all(collection(service.clock.now(), number, old_kb + jitter).as_bytes());
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

fn collection(now: Timestamp, number: u64, old_kb: u64) -> String {
    let stamp = now.to_string().replace('Z', "+0000");
    let (before, after) = ((old_kb + 30_000) / 1024, old_kb / 1024);
    format!(
        "[{stamp}][info][gc,start    ] GC({number}) Pause Full (Ergonomics)\n\
         [{stamp}][info][gc,heap     ] GC({number}) PSYoungGen: 30000K(76288K)->0K(76288K) Eden: 30000K(65536K)->0K(65536K) From: 0K(10752K)->0K(10752K)\n\
         [{stamp}][info][gc,heap     ] GC({number}) ParOldGen: {old_kb}K({OLD_MAX_KB}K)->{old_kb}K({OLD_MAX_KB}K)\n\
         [{stamp}][info][gc          ] GC({number}) Pause Full (Ergonomics) {before}M->{after}M(330M) 21.480ms\n"
    )
}
