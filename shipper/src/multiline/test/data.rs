//! Real logs, and the records that others make of them.

use std::path::{Path, PathBuf};

use super::*;

fn data(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if !path.exists() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn strings(value: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap().trim_end_matches('\n').to_owned();
    value.as_array().unwrap().iter().map(text).collect()
}

/// What cases.jsonl calls a language.
fn languages(id: &str) -> Vec<Preset> {
    match id {
        "detect-exceptions/java_exc" | "fluent-bit/java" => vec![Preset::Java],
        "detect-exceptions/node_js_exc" => vec![Preset::Node, Preset::Java],
        "detect-exceptions/csharp_exc" => vec![Preset::Dotnet, Preset::Java],
        "detect-exceptions/python_exc" | "fluent-bit/python" => vec![Preset::Python],
        "detect-exceptions/go_exc" => vec![Preset::Go],
        "detect-exceptions/ruby_exc" => vec![Preset::Ruby],
        "detect-exceptions/php_exc" => vec![Preset::Php],
        "detect-exceptions/arbitrary_text" => [&LANGUAGES[..], &[Preset::None]].concat(),
        _ => Vec::new(),
    }
}

#[test]
fn cases_of_other_shippers() {
    let Some(path) = data("multiline/cases.jsonl") else { return };
    let mut count = 0;
    for case in json_lines(&path) {
        let id = case["id"].as_str().unwrap();
        let mut languages = languages(id);
        if languages.is_empty() {
            continue;
        }
        languages.push(Preset::Auto);
        let input =
            case["input"].as_str().map_or_else(|| strings(&case["input_lines"]).join("\n"), str::to_owned);
        for language in languages {
            let records = join(&mut preset(language), &input);
            assert_eq!(records, strings(&case["expected"]), "{id} with {language:?}");
            count += 1;
        }
    }
    assert_eq!(count, 29);
}

#[test]
fn cases_of_filebeat() {
    let Some(path) = data("multiline/filebeat_cases.jsonl") else { return };
    let mut count = 0;
    for case in json_lines(&path) {
        let id = case["id"].as_str().unwrap();
        let text = |key: &str| case[key].as_str().unwrap();
        let input = match case.get("file") {
            Some(file) => {
                std::fs::read_to_string(path.parent().unwrap().join(file.as_str().unwrap())).unwrap()
            }
            None => text("input").to_owned(),
        };
        let optional = |key: &str, name: &str| {
            let value = case.get(key).map(|value| value.to_string().replace('"', ""));
            value.map(|value| format!(", {name}: {value}")).unwrap_or_default()
        };
        let limits = optional("max_lines", "lines_max") + &optional("max_bytes", "bytes_max");
        let mut multiline = Multiline::new(&config(&format!(
            "{{ pattern: '{}', negate: {}, match: {}{limits}{} }}",
            text("pattern").replace('\'', "''"),
            case["negate"],
            text("match"),
            optional("flush_pattern", "flush_pattern"),
        )));
        let (mut records, mut is_behind_cut) = (Vec::new(), false);
        for line in input.lines() {
            let joint = multiline.handle(line.as_bytes(), Timestamp::EPOCH);
            // What Filebeat drops beyond a limit is kept here, in records of its own.
            is_behind_cut = multiline.has_cut() || (is_behind_cut && joint == Joint::Continues);
            match records.last_mut() {
                _ if is_behind_cut => {}
                Some((record, false)) if joint != Joint::Starts && joint != Joint::Alone => {
                    *record = format!("{record}\n{line}");
                }
                _ => records.push((line.to_owned(), false)),
            }
            if let Some((_, is_complete)) = records.last_mut() {
                *is_complete = matches!(joint, Joint::Ends | Joint::Alone);
            }
        }
        let records: Vec<String> = records.into_iter().map(|(record, _)| record).collect();
        assert_eq!(records.len() as u64, case["records"].as_u64().unwrap(), "{id}: {records:?}");
        let expected = strings(&case["expected"]);
        assert!(expected.is_empty() || records == expected, "{id}: {records:?}");
        count += 1;
    }
    assert_eq!(count, 8);
}

/// Where the records of a log begin, and how many lines each has, as `records.jsonl` beside it has them and as `config`
/// makes them. Records that match one of `exclude` are left out.
fn check_records(name: &str, config: &MultilineConfig, exclude: &[regex::Regex]) {
    let Some(path) = data(name) else { return };
    let text = std::fs::read_to_string(&path).unwrap();
    // A line without text is no record, wherever it stands alone.
    let mut offset = 0;
    let mut found = Vec::new();
    for record in join(&mut Multiline::new(config), &text.replace("\r\n", " \n")) {
        let end = offset + record.len() as u64 + 1;
        if !record.trim_ascii().is_empty() && !exclude.iter().any(|exclude| exclude.is_match(&record)) {
            found.push((offset, record.split('\n').count() as u64));
        }
        offset = end;
    }
    let expected: Vec<(u64, u64)> = json_lines(&data(&format!("{name}.records.jsonl")).unwrap())
        .iter()
        .map(|record| (record["offset"].as_u64().unwrap(), record["lines"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, expected, "{name} with {config:?}");
}

#[test]
fn logs_of_services() {
    for (name, languages) in [
        ("multiline/app/java-small.log", &[Preset::Java][..]),
        ("multiline/app/mixed.log", &LANGUAGES),
        ("filebeat-modules/elasticsearch/server/elasticsearch.624.log", &[Preset::Java]),
        ("filebeat-modules/elasticsearch/deprecation/elasticsearch_deprecation.log", &[Preset::Java]),
    ] {
        for language in languages.iter().chain([&Preset::Auto]) {
            check_records(name, &(*language).into(), &[]);
        }
    }
}

/// Every log of Filebeat's modules with the module's own setting; those without one with `auto`, which must not join
/// what is no trace.
#[test]
fn logs_of_filebeats_modules() {
    let Some(path) = data("filebeat-modules/FILESETS.json") else { return };
    let sets: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let root = path.parent().unwrap();
    let mut count = [0, 0];
    for entry in glob(root, 3) {
        let Some(log) = entry.to_str().unwrap().strip_suffix(".records.jsonl").map(str::to_owned) else {
            continue;
        };
        let set = Path::new(&log).parent().unwrap().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let setting = &sets[&set];
        // One line of MySQL's log has no time as all others have, so it belongs to the record before it here.
        if set == "mysql/error" {
            continue;
        }
        let exclude = setting["exclude_lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let exclude: Vec<_> = exclude
            .iter()
            .map(|line| regex::Regex::new(&line.as_str().unwrap().replace(r"\/", "/")).unwrap())
            .collect();
        let name =
            format!("filebeat-modules/{set}/{}", Path::new(&log).file_name().unwrap().to_str().unwrap());
        let is_json = log.contains("json");
        let multiline = &setting["multiline"];
        if let Some(pattern) = multiline["pattern"].as_str().filter(|_| !(set == "logstash/log" && is_json)) {
            let pattern = pattern.replace('\'', "''").replace("|{)", r"|\{)");
            let yaml = format!(
                "{{ pattern: '{pattern}', negate: {}, match: {} }}",
                multiline["negate"], multiline["match"]
            );
            check_records(&name, &config(&yaml), &exclude);
            count[0] += 1;
        } else {
            check_records(&name, &Preset::Auto.into(), &exclude);
            count[1] += 1;
        }
    }
    assert_eq!(count, [30, 24]);
}

/// Files below `folder`, so many folders deep, in order.
fn glob(folder: &Path, depth: usize) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    if depth == 1 {
        return entries;
    }
    entries.into_iter().filter(|entry| entry.is_dir()).flat_map(|entry| glob(&entry, depth - 1)).collect()
}

#[test]
fn the_traces_of_elasticsearch() {
    let Some(path) = data("filebeat-input/elasticsearch-multiline-log.log") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    for language in [Preset::Java, Preset::Auto] {
        assert_eq!(join(&mut preset(language), &text).len(), 20);
    }
}
