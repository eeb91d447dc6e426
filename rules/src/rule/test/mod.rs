//! Tests of rule files and rule test files, as tables.

mod mistake;
mod model;
