//! All languages at once.
//!
//! Enters: the lines of a stream. Leaves: what each is to the language that knows it. Never: a choice for good; one
//! stream may hold the output of several programs.
//!
//! Every language sees every line and keeps its own place; the first lines of a trace put one of them inside it, and
//! the others stay outside. So a stream of one language is joined as by that language's own preset.

use super::dotnet::Dotnet;
use super::go::Go;
use super::java;
use super::node::Node;
use super::php::Php;
use super::preset::Sign;
use super::python::Python;
use super::ruby::Ruby;

/// The places of all languages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Auto {
    python: Python,
    go: Go,
    dotnet: Dotnet,
    node: Node,
    ruby: Ruby,
    php: Php,
}

impl Auto {
    /// A line that starts a record.
    pub(super) fn begin(&mut self, line: &[u8]) {
        self.python.begin(line);
        self.go.begin(line);
        self.dotnet.begin();
        self.node.begin(line);
        self.ruby.begin();
        self.php.begin();
    }

    /// What `line` is: the first line of a trace above all, because it is unmistakable.
    pub(super) fn read(&mut self, line: &[u8]) -> Sign {
        let signs = [
            java::read(line),
            self.python.read(line),
            self.go.read(line),
            self.dotnet.read(line),
            self.node.read(line),
            self.ruby.read(line),
            self.php.read(line),
        ];
        let found = [Sign::Alone, Sign::Inside, Sign::Opens].into_iter().find(|sign| signs.contains(sign));
        found.unwrap_or(Sign::Other)
    }
}
