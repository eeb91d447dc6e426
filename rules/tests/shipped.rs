//! The shipped rules, judged by their own test files.

use rules::rule::{load, load_tests};
use rules::{Settings, testing};

macro_rules! shipped {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../default/", $name, ".yml")),
            include_str!(concat!("../default/", $name, ".test.yml")),
        )
    };
}

#[test]
fn the_shipped_rules_pass_their_tests() {
    for (name, rules, tests) in [shipped!("availability"), shipped!("error-rate"), shipped!("jvm-old-gen")] {
        let rules = load(name, rules).unwrap_or_else(|error| panic!("{error}")).rules;
        let tests = load_tests(name, tests).unwrap_or_else(|error| panic!("{error}")).tests;
        for test in tests {
            let outcome = testing::run(&rules, &test, &Settings::default());
            assert_eq!(
                outcome.difference,
                None,
                "{name}:{}: {}\n{}",
                outcome.line,
                outcome.name,
                outcome.difference.as_deref().unwrap_or_default()
            );
        }
    }
}
