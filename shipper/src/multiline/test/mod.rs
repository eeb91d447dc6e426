//! Which lines become one record, as tables of records.

mod config;
mod data;
mod limit;
mod preset;
mod property;

use event::Timestamp;

use super::{Joint, Multiline, MultilineConfig, Preset};

const LANGUAGES: [Preset; 7] =
    [Preset::Java, Preset::Python, Preset::Go, Preset::Dotnet, Preset::Node, Preset::Ruby, Preset::Php];

/// The records of `input`: what a caller makes of the joints.
fn join(multiline: &mut Multiline, input: &str) -> Vec<String> {
    let mut records = Vec::new();
    let mut collected: Option<String> = None;
    for line in input.strip_suffix('\n').unwrap_or(input).split('\n') {
        let joint = multiline.handle(line.as_bytes(), Timestamp::EPOCH);
        if matches!(joint, Joint::Starts | Joint::Alone) {
            records.extend(collected.take());
        }
        collected = Some(match collected {
            Some(before) => format!("{before}\n{line}"),
            None => line.to_owned(),
        });
        if matches!(joint, Joint::Ends | Joint::Alone) {
            records.extend(collected.take());
        }
    }
    assert_eq!(multiline.flush(), collected.is_some());
    records.extend(collected);
    records
}

fn preset(preset: Preset) -> Multiline {
    Multiline::new(&preset.into())
}

fn config(yaml: &str) -> MultilineConfig {
    yaml::parse("test.yml", yaml).unwrap()
}

/// The language's own preset and `auto` make these records of their lines.
fn check(language: Preset, records: &[&str]) {
    for preset in [language, Preset::Auto] {
        assert_eq!(join(&mut Multiline::new(&preset.into()), &records.join("\n")), records, "{preset:?}");
    }
}
