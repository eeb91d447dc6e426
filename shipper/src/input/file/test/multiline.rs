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
