//! Scalars with units: spans of time, sizes, shares.
//!
//! Enters: text such as `1h30m`, `64KiB`, `5%`. Leaves: the number that it means, and the same text back.
//! Never: a number whose unit has to be guessed.

mod byte_size;
mod percent;
mod span;

pub use byte_size::ByteSize;
pub use percent::Percent;
pub use span::Span;

/// Text that is not a span, a size or a share; says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(pub(crate) String);

/// The text as it is quoted in errors: one line, of bounded length.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() { format!("`{short}...`") } else { format!("`{short}`") }
}

/// `Deserialize` from the text, `Serialize` to it, and a JSON Schema with a pattern.
macro_rules! written_as_text {
    ($unit:ident, $name:literal, $visit:ident, $schema:tt) => {
        impl<'de> serde::Deserialize<'de> for $unit {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.$visit(Visitor)
            }
        }

        impl serde::Serialize for $unit {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl schemars::JsonSchema for $unit {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
use written_as_text;
