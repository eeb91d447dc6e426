//! Records of several lines: cut at a limit, read on after a restart.

use super::*;

#[test]
fn a_record_at_its_limit_is_tagged_and_counted() {
    let mut rig = Rig::with(
        "paths: ['{folder}/*.log']\nmultiline: { pattern: '^ ', match: after, lines_max: 2 }\nparse: plain",
    );
    rig.append("a.log", "a\n b\n c\n d\n e\nf\ng\n");
    rig.read();
    let got: Vec<_> = rig.got.iter().map(|got| (got.message.as_str(), got.tags.join(","))).collect();
    let cut = "multiline_cut".to_owned();
    assert_eq!(got, [("a\n b", cut.clone()), (" c\n d", cut), (" e", String::new()), ("f", String::new()),]);
    assert_eq!(rig.totals().multiline_cuts, 2);
}

/// Of each language a record whose first line has a header, with a line of a message that only the header holds to it.
const RECORDS: [(&str, &str); 8] = [
    (
        "java",
        "2026-11-23 10:30:45,123 ERROR no\nany text\na.B: x\n\tat a.B.c(B.java:1)\nCaused by: a.D: x\n\t... 1 more",
    ),
    (
        "python",
        "2026-11-23 10:30:45,123 ERROR no\nany text\nTraceback (most recent call last):\n  File \"a.py\"\nKeyError: 1",
    ),
    (
        "go",
        "2026/11/23 10:30:45 http: panic serving 1.2.3.4:5: no\nany text\ngoroutine 1 [running]:\nmain.f()\n\t/a.go:7",
    ),
    ("dotnet", "[10:30:45 ERR] no\nany text\nSystem.Exception: x\n ---> System.Exception: y\n   at A.B()"),
    (
        "node",
        "[10:30:45.123] ERROR: no\nany text\nError: x\n    at f (/a.js:1:2) {\n  code: 1,\n  [cause]: Error: y\n}",
    ),
    (
        "ruby",
        "E, [2026-11-23T10:30:45.123456 #7] ERROR -- : no (X)\nany text\na.rb:7:in 'f'\na.rb:9:in '<main>'",
    ),
    (
        "php",
        "[23-Nov-2026 10:30:45 UTC] PHP Fatal error:  Uncaught X\nany text\nStack trace:\n#0 {main}\n  thrown in /a.php on line 5",
    ),
    ("auto", "2026-11-23 10:30:45,123 ERROR no\nany text\na.B: x\n\tat a.B.c(B.java:1)"),
];

#[test]
fn a_record_goes_on_after_a_restart_in_its_middle() {
    for (preset, record) in RECORDS {
        let lines: Vec<&str> = record.split_inclusive('\n').collect();
        let header = lines[0].trim_end();
        for at in 1..lines.len() {
            for is_kill in [false, true] {
                let mut rig =
                    Rig::with(&format!("paths: ['{{folder}}/*.log']\nmultiline: {preset}\nparse: plain"));
                // Two neighbours with a header show how records begin.
                rig.append("a.log", format!("{header}\n{header}\n{header}\n"));
                rig.append("a.log", lines[..at].concat());
                rig.read();
                assert_eq!(rig.take().len(), 3, "{preset}");
                rig.ack();
                let now = rig.now;
                rig.input().checkpoint(now).unwrap();
                if is_kill {
                    rig.kill();
                    rig.start();
                } else {
                    rig.restart();
                }
                rig.append("a.log", lines[at..].concat());
                rig.append("a.log", format!("\n{header}\n"));
                rig.read();
                let got = rig.take();
                assert_eq!(got.len(), 1, "{preset} {at} {got:?}");
                let whole = 3 * (header.len() + 1) + record.len() + 1;
                assert_eq!(rig.input().status().streams[0].read, whole as u64, "{preset} {at} {got:?}");
            }
        }
    }
}
