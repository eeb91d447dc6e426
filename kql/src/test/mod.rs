//! Tests of the language, as tables.

mod meaning;
mod property;
mod syntax;
