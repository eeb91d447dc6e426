//! Documents that are made of the code: they are compared here, and written anew with `UPDATE_DOCS=1`.

use std::fs;

use daemon::config::{document, document_schema, schema};
use daemon::metric;

/// Compares `relative` with what the code says, or writes it.
fn check(relative: &str, expected: &str) {
    let path = super::root().join(relative);
    // The one switch of this test; nothing else reads the environment.
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test")]
    let is_update = std::env::var("UPDATE_DOCS").is_ok();
    if is_update {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{relative} is not what the code says: UPDATE_DOCS=1 cargo test -p tests --test tidy"
    );
}

#[test]
fn the_configuration_page_equals_the_code() {
    let shipper = document::<shipper::config::Config>();
    let alerter = document::<alerter::config::Config>();
    let indexer = document::<indexer::config::Config>();
    let watchfire = document::<watchfire::config::Config>();
    let page = format!(
        "# Configuration\n\n\
         One YAML file for each daemon. Unknown keys are refused with the nearest known one. A value may be `${{NAME}}` (the \
         environment), `${{NAME:-default}}` or `${{file:/path}}`; what comes from there is never printed. Spans are written `500ms`, \
         `10s`, `1h30m`; sizes `64KiB`, `1MB`; shares `5%`. Editors complete keys with the JSON Schemas in [schema/](../schema).\n\n\
         A changed file, or SIGHUP, is read again without losing state; a file that cannot be used changes nothing and \
         shows in `/readyz`. `admin`, `log`, `state` and `source` change with a restart.\n\n\
         ## shipper.yml\n\n{shipper}\n## alerter.yml\n\n{alerter}\n## indexer.yml\n\n{indexer}\n## watchfire.yml\n\n\
         The union of the others, with a queue in memory in Kafka's place.\n\n{watchfire}"
    );
    check("docs/configuration.md", &page);
}

#[test]
fn the_rules_page_equals_the_code() {
    let rules = document_schema(&rules::rule::schema());
    let tests = document_schema(&rules::rule::test_schema());
    let page = format!(
        "# Rules\n\n\
         A rule file holds rules; its tests stand beside it in `NAME.test.yml` and are run by `alerter test`. `match`, `of` and \
         `up` are KQL, the language of Kibana's search bar. The shipped rules are in [rules/default/](../rules/default).\n\n\
         ## Rule files\n\n{rules}\n## Rule tests\n\n{tests}"
    );
    check("docs/rules.md", &page);
}

#[test]
fn the_metrics_page_equals_the_code() {
    let page = format!(
        "# Metrics\n\n\
         At `/metrics` of each daemon's loopback port, in OpenMetrics text; `watchfire up` shows all of them on one page. \
         `/healthz` says that the process lives; `/readyz` names what does not work, and why.\n\n\
         ## Shipper\n\n{}\n## Shipper: files\n\n{}\n## Alerter\n\n{}\n## Indexer\n\n{}",
        metric::document(shipper::metric::TABLE),
        metric::document(shipper::input::file::metric::TABLE),
        metric::document(alerter::metric::TABLE),
        metric::document(indexer::metric::TABLE),
    );
    check("docs/metrics.md", &page);
}

fn pretty(schema: &serde_json::Value) -> String {
    format!("{}\n", serde_json::to_string_pretty(schema).unwrap())
}

#[test]
fn the_schemas_equal_the_code() {
    check("schema/shipper.json", &schema::<shipper::config::Config>());
    check("schema/alerter.json", &schema::<alerter::config::Config>());
    check("schema/indexer.json", &schema::<indexer::config::Config>());
    check("schema/watchfire.json", &schema::<watchfire::config::Config>());
    check("schema/rules.json", &pretty(&rules::rule::schema()));
    check("schema/rule-tests.json", &pretty(&rules::rule::test_schema()));
}
