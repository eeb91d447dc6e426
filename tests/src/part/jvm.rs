//! A Java program that leaks, with its own garbage-collection log.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Process;

const LEAK: &str = r#"
import java.util.ArrayList;
import java.util.List;

/** Keeps what it allocates until most of the heap is old, then holds it. */
public class Leak {
    static final List<byte[]> KEPT = new ArrayList<>();

    public static void main(String[] arguments) throws Exception {
        long goal = (long) (Runtime.getRuntime().maxMemory() * Double.parseDouble(arguments[0]));
        for (long kept = 0; kept < goal; kept += 1 << 18) {
            KEPT.add(new byte[1 << 18]);
        }
        while (true) {
            System.gc();
            Thread.sleep(500);
        }
    }
}
"#;

/// Runs the program with a 64 MB heap; `share` of it stays in use. The log is `gc.log` in `folder`.
///
/// # Panics
/// When there is no JDK.
#[must_use]
pub fn leak(folder: &Path, share: f64) -> Process {
    std::fs::write(folder.join("Leak.java"), LEAK).unwrap();
    let log = folder.join("gc.log");
    let mut command = Command::new("java");
    command
        .args(["-Xmx64m", "-Xms64m", "-XX:+UseParallelGC"])
        .arg(format!("-Xlog:gc*:file={}:time,uptime,level,tags", log.display()))
        .arg(folder.join("Leak.java"))
        .arg(share.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Process::start(&mut command)
}
