//! A rule file as it is written, and the way to checked rules.
//!
//! Enters: the text of a file such as `rules/default/availability.yml`. Leaves: a [`RuleFile`], or every problem.
//! Never: a default that the reference does not name.

use std::collections::BTreeMap;
use std::time::Duration;

use event::Timestamp;
use jiff::tz::TimeZone;
use kql::Query;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::{Place, Span, Spanned, YamlError};

use super::{NoData, Priority, Problems, Rule, RuleError, RuleFile};
use crate::condition::{Condition, ConditionConfig};
use crate::template::{Context, Template};

/// Rules that one file may have.
pub const RULES_MAX: usize = 1000;
/// Fields that one rule may group by.
pub const GROUP_BY_MAX: usize = 8;
/// The longest `for` and `keep_firing_for`.
pub const HOLD_MAX: Duration = Duration::from_hours(7 * 24);
/// The longest name of a rule, in bytes: it stands in metrics and in text messages.
pub const NAME_BYTES_MAX: usize = 100;
/// The summary of a rule that has none.
const SUMMARY: &str = "{{ rule }}{% for field, text in group | items %} {{ text }}{% endfor %}\
                       {% if value is defined %}: {{ value }} (limit {{ threshold }}){% endif %}";

/// A rule file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Watchfire rules")]
struct RuleFileConfig {
    /// The rules.
    #[schemars(with = "Vec<RuleConfig>")]
    rules: Vec<Spanned<RuleConfig>>,
}

/// One rule: which events it looks at, what it judges, and what it says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuleConfig {
    /// Names the rule in alerts, metrics and routes; distinct in the whole installation.
    #[schemars(with = "String")]
    name: Spanned<String>,
    /// How urgent its alerts are. The default routes send P0 to phone, SMS and the group, P1 to SMS and the group,
    /// P2 to mail.
    priority: Priority,
    /// KQL: the events that the rule looks at. Empty: all.
    #[schemars(with = "String")]
    r#match: Spanned<String>,
    /// The fields whose values tell one alert from another. Empty: one alert for all events.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    group_by: Vec<Spanned<String>>,
    /// What is judged.
    condition: ConditionConfig,
    /// How long the condition has to hold before the alert fires. Default: `0s`, at once.
    #[schemars(with = "Option<Span>")]
    r#for: Option<Spanned<Span>>,
    /// How long a firing alert stays after its condition has ended. Default: `0s`.
    #[schemars(with = "Option<Span>")]
    keep_firing_for: Option<Spanned<Span>>,
    /// What becomes of an alert whose events stop: `ok` resolves it, `keep` leaves it as it is, `alert` counts as
    /// the condition itself. Default: `keep`.
    no_data: Option<NoData>,
    /// Added to every alert of the rule, for routes and silences.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    labels: BTreeMap<String, Spanned<String>>,
    /// Further texts for people, as templates.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    annotations: BTreeMap<String, Spanned<String>>,
    /// A template for the line that a notification leads with. Default: the rule's name, the group and the value.
    #[schemars(with = "Option<String>")]
    summary: Option<Spanned<String>>,
    /// A template for a longer text.
    #[schemars(with = "Option<String>")]
    description: Option<Spanned<String>>,
    /// Where the operator finds what to do: usually a link.
    runbook: Option<String>,
}

/// Reads a rule file; `name` stands for it in errors.
///
/// # Errors
/// [`RuleError`] with every problem found.
pub fn load(name: &str, text: &str) -> Result<RuleFile, RuleError> {
    let config: RuleFileConfig = yaml::parse(name, text)?;
    let mut problems = Problems::new(name, text);
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    let mut rules = Vec::new();
    for (at, rule) in config.rules.iter().enumerate() {
        if at == RULES_MAX {
            problems.add(
                rule,
                format!("a file may have {RULES_MAX} rules at most: move the rest to another file"),
            );
            break;
        }
        let line = Place::of(rule).line;
        let rule_name = &rule.value.name;
        if let Some(first) = lines.get(&rule_name.value) {
            problems.add(
                rule_name,
                format!("rule `{}` is already in line {first}: names are distinct", rule_name.value),
            );
        }
        lines.entry(rule_name.value.clone()).or_insert(line);
        rules.extend(check(&rule.value, line, &mut problems));
    }
    problems.finish(RuleFile { name: name.to_owned(), rules })
}

/// Checks that no two of `files` have a rule of the same name.
///
/// # Errors
/// [`RuleError`] that names both places of each such rule.
pub fn distinct(files: &[RuleFile]) -> Result<(), RuleError> {
    let mut places: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    let mut problems = Vec::new();
    for (file, rule) in files.iter().flat_map(|file| file.rules.iter().map(move |rule| (file, rule))) {
        if let Some((other, line)) = places.insert(&rule.name, (&file.name, rule.line)) {
            let place = format!("{}:{}", file.name, rule.line);
            problems.push(YamlError(format!(
                "{place}: rule `{}` is already in {other}:{line}: rename one",
                rule.name
            )));
        }
    }
    if problems.is_empty() { Ok(()) } else { Err(RuleError { problems }) }
}

/// The JSON Schema of rule files, for editors.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RuleFileConfig).to_value()
}

fn check(config: &RuleConfig, line: u64, problems: &mut Problems<'_>) -> Option<Rule> {
    check_name(&config.name, problems);
    check_group(&config.group_by, problems);
    check_labels(&config.labels, problems);
    let matches = problems.query(&config.r#match);
    let condition = config.condition.check(problems);
    let hold_for = hold(config.r#for.as_ref(), problems);
    let keep_firing_for = hold(config.keep_firing_for.as_ref(), problems);
    let (matches, condition): (Query, Condition) = (matches?, condition?);
    let texts = Texts { config, condition: &condition };
    let summary = match &config.summary {
        Some(text) => texts.template(text, problems),
        None => Template::compile(SUMMARY).ok(),
    };
    let annotations = config.annotations.iter();
    let annotations =
        annotations.filter_map(|(name, text)| Some((name.clone(), texts.template(text, problems)?)));
    Some(Rule {
        name: config.name.value.clone(),
        priority: config.priority,
        matches,
        group_by: config.group_by.iter().map(|field| field.value.clone()).collect(),
        hold_for,
        keep_firing_for,
        no_data: config.no_data.unwrap_or_default(),
        labels: config.labels.iter().map(|(name, text)| (name.clone(), text.value.clone())).collect(),
        annotations: annotations.collect(),
        summary: summary?,
        description: config.description.as_ref().and_then(|text| texts.template(text, problems)),
        runbook: config.runbook.clone(),
        line,
        condition,
    })
}

fn check_name(name: &Spanned<String>, problems: &mut Problems<'_>) {
    let text = &name.value;
    if text.is_empty()
        || text.len() > NAME_BYTES_MAX
        || text.chars().any(char::is_control)
        || text.trim() != text
    {
        problems.add(
            name,
            format!("a rule's name is one line of 1 to {NAME_BYTES_MAX} bytes, such as `error-rate`"),
        );
    }
}

fn check_group(fields: &[Spanned<String>], problems: &mut Problems<'_>) {
    for (at, field) in fields.iter().enumerate() {
        problems.field(field);
        if fields.iter().take(at).any(|earlier| earlier.value == field.value) {
            problems.add(field, format!("`{}` is already in group_by: remove one", field.value));
        }
        if at == GROUP_BY_MAX {
            problems.add(field, format!("a rule may group by {GROUP_BY_MAX} fields at most"));
        }
    }
}

/// Labels are matched by routes and silences, and sent to tools that follow Prometheus.
fn check_labels(labels: &BTreeMap<String, Spanned<String>>, problems: &mut Problems<'_>) {
    for (name, value) in labels {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
            && !name.starts_with(|first: char| first.is_ascii_digit())
            && !name.is_empty();
        if !is_name {
            problems.add(
                value,
                format!("`{name}` is not a label: write letters, digits, `_` and `.`, such as `team`"),
            );
        } else if matches!(name.as_str(), "alertname" | "priority") {
            problems.add(value, format!("the label `{name}` is set by the rule itself: remove it"));
        }
    }
}

fn hold(value: Option<&Spanned<Span>>, problems: &mut Problems<'_>) -> Duration {
    let Some(value) = value else { return Duration::ZERO };
    if value.value.0 > HOLD_MAX {
        problems.add(value, format!("{} is too long: write {} or less", value.value, Span(HOLD_MAX)));
    }
    value.value.0
}

/// Compiles a rule's templates and tries them on what the rule will know.
struct Texts<'a> {
    config: &'a RuleConfig,
    condition: &'a Condition,
}

impl Texts<'_> {
    fn template(&self, text: &Spanned<String>, problems: &mut Problems<'_>) -> Option<Template> {
        let template = problems.template(text)?;
        let fields = self.config.group_by.iter();
        let labels = self.config.labels.iter();
        let sample = Context {
            rule: &self.config.name.value,
            priority: self.config.priority,
            state: "firing",
            group: &fields.map(|field| (field.value.clone(), "x".to_owned())).collect::<Vec<_>>(),
            labels: &labels.map(|(name, text)| (name.clone(), text.value.clone())).collect::<Vec<_>>(),
            value: self.condition.limit(),
            threshold: self.condition.limit(),
            unit: self.condition.unit(),
            since: Timestamp::EPOCH,
            at: Timestamp::EPOCH,
            zone: &TimeZone::UTC,
            reason: "sample",
        };
        match template.check(&sample) {
            Ok(()) => Some(template),
            Err(error) => {
                problems.add_inside(text, error.offset, error.message);
                None
            }
        }
    }
}
