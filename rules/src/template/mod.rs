//! The words of a page: minijinja templates that are compiled and tried when the rule is loaded.
//!
//! Enters: a template's text at load; a [`Context`] at each transition. Leaves: [`Rendered`] text, always.
//! Never: a lost page. A template that fails gives a plain text with rule, group and value, and the error beside it.

mod object;

pub use object::time;

use std::fmt::Write as _;
use std::sync::Arc;

use event::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use crate::rule::{Priority, Unit};

/// The longest text that a template may make, in bytes; the rest is cut off. Every channel's own limit is below.
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
/// How many steps a template may take; the longest sensible one needs some hundred.
const STEPS_MAX: u64 = 50_000;
/// The name of the one template in each environment.
const NAME: &str = "template";
const KNOWN: &str = "a template knows rule, priority, state, value, threshold, since, at, reason, group, labels, the \
                     fields of group_by, and the filters time, duration, percent, bytes and number";

/// What a template may ask for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// `rule`: the rule's name.
    pub rule: &'a str,
    /// `priority`.
    pub priority: Priority,
    /// `state`: `pending`, `firing` or `resolved`.
    pub state: &'a str,
    /// The group's fields by dotted name: `{{ service.name }}` works, and `{{ group["service.name"] }}`.
    pub group: &'a [(String, String)],
    /// `labels`: the rule's own.
    pub labels: &'a [(String, String)],
    /// `value`: the number that was judged, where there is one.
    pub value: Option<f64>,
    /// `threshold`: the number that it was judged by.
    pub threshold: Option<f64>,
    /// How both print by themselves: `{{ value }}` is `85.2%` when the rule wrote `85%`; `{{ value.number }}` is 0.852.
    pub unit: Unit,
    /// `since`: when the condition began to hold.
    pub since: Timestamp,
    /// `at`: the moment of the transition.
    pub at: Timestamp,
    /// The zone that times are shown in.
    pub zone: &'a TimeZone,
    /// `reason`: why, in the engine's words.
    pub reason: &'a str,
}

/// What came of rendering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What to send; never empty.
    pub text: String,
    /// Why `text` is the plain fallback, if it is.
    pub error: Option<String>,
}

/// A compiled template. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Template {
    source: Arc<str>,
    environment: Arc<Environment<'static>>,
}

/// A template that does not compile, or asks for what its rule does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Where in the template, in bytes.
    pub offset: usize,
    /// What is wrong, and the way out.
    pub message: String,
}

impl Template {
    /// Compiles `text`.
    ///
    /// # Errors
    /// [`TemplateError`] with the place.
    pub fn compile(text: &str) -> Result<Self, TemplateError> {
        let environment =
            environment(text, UndefinedBehavior::Chainable).map_err(|error| explain(text, &error))?;
        Ok(Template { source: text.into(), environment: Arc::new(environment) })
    }

    /// Renders strictly with a context like those to come: unknown names and filters, and a `value` that the rule's
    /// condition does not have, are errors here, while [`Template::render`] leaves a blank.
    ///
    /// # Errors
    /// [`TemplateError`] with the place.
    pub fn check(&self, context: &Context<'_>) -> Result<(), TemplateError> {
        let explained = |error: Error| explain(&self.source, &error);
        let strict = environment(&self.source, UndefinedBehavior::SemiStrict).map_err(explained)?;
        let template = strict.get_template(NAME).map_err(explained)?;
        template.render(object::values(context)).map(drop).map_err(explained)
    }

    /// The text that was compiled.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Renders; what fails, or leaves nothing to read, becomes [`fallback`].
    #[must_use]
    pub fn render(&self, context: &Context<'_>) -> Rendered {
        let rendered =
            self.environment.get_template(NAME).and_then(|template| template.render(object::values(context)));
        let (mut text, error) = match rendered {
            Ok(text) if !text.trim().is_empty() => (text, None),
            Ok(_) => (fallback(context), Some("the template rendered to nothing".to_owned())),
            Err(error) => (fallback(context), Some(explain(&self.source, &error).message)),
        };
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        Rendered { text, error }
    }
}

impl PartialEq for Template {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

/// The text that needs no template: `error-rate firing, service.name=checkout: 7.5% (threshold 5%) since ...`.
#[must_use]
pub fn fallback(context: &Context<'_>) -> String {
    let mut text = format!("{} {}", context.rule, context.state);
    for (at, (field, value)) in context.group.iter().enumerate() {
        let _ = write!(text, "{} {field}={value}", if at == 0 { "," } else { "" });
    }
    if let Some(value) = context.value {
        let _ = text.write_str(": ").and_then(|()| context.unit.write(value, &mut text));
    }
    if let Some(threshold) = context.threshold {
        let _ = text.write_str(" (threshold ").and_then(|()| context.unit.write(threshold, &mut text));
        text.push(')');
    }
    let _ = write!(text, " since {}", object::time(context.since, context.zone));
    text
}

fn environment(source: &str, undefined: UndefinedBehavior) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(undefined);
    environment.set_fuel(Some(STEPS_MAX));
    environment.set_debug(true);
    // A page is plain text, whatever the template is called.
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    object::add_filters(&mut environment);
    environment.add_template_owned(NAME, source.to_owned())?;
    Ok(environment)
}

fn explain(source: &str, error: &Error) -> TemplateError {
    let line_start =
        |line: usize| source.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let offset = error.range().map(|range| range.start).or_else(|| error.line().map(line_start)).unwrap_or(0);
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let message = match error.kind() {
        ErrorKind::UndefinedError
        | ErrorKind::UnknownFilter
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownTest => {
            format!("template: {what}; {KNOWN}")
        }
        ErrorKind::OutOfFuel => format!("template: takes more than {STEPS_MAX} steps: shorten its loops"),
        _ => format!("template: {what}"),
    };
    TemplateError { offset: source.floor_char_boundary(offset), message }
}

#[cfg(test)]
mod test;
