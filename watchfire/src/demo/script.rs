//! What goes wrong in the demo, and when.
//!
//! Enters: the service's time since the start. Leaves: the next thing to do to it. Never: a word to the rules; they
//! see only what the service's log and its probe show.

use std::time::Duration;

/// One thing that happens to the sample service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Put it into a mode of `watchfire sample`: `healthy`, `failing` or `leaking`.
    Mode(&'static str),
    /// Stop the process.
    Stop,
    /// Start it again.
    Start,
    /// The story is over.
    End,
}

/// An act, its moment in the service's time, and what the viewer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scene {
    /// Since the start, in the service's time.
    pub at: Duration,
    /// What is done.
    pub act: Act,
    /// What is said.
    pub words: &'static str,
}

const fn scene(minute: u64, second: u64, act: Act, words: &'static str) -> Scene {
    Scene { at: Duration::from_secs(minute * 60 + second), act, words }
}

/// The story: a little over twenty minutes, that is 43 seconds at thirty times the speed.
pub const SCENES: [Scene; 7] = [
    scene(1, 30, Act::Mode("failing"), "every fourth request fails from now on"),
    scene(6, 0, Act::Mode("healthy"), "the fault is mended"),
    scene(8, 0, Act::Stop, "the service is stopped"),
    scene(14, 0, Act::Start, "the service is started again"),
    scene(15, 30, Act::Mode("leaking"), "its old generation begins to fill"),
    scene(19, 0, Act::Mode("healthy"), "the leak is mended"),
    scene(21, 30, Act::End, ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_story_goes_forward_and_ends() {
        assert!(SCENES.is_sorted_by_key(|scene| scene.at));
        assert_eq!(SCENES.last().map(|scene| scene.act), Some(Act::End));
    }

    #[test]
    fn each_tier_has_the_time_that_its_rule_asks_for() {
        let at = |words: &str| SCENES.iter().find(|scene| scene.words.contains(words)).unwrap().at;
        let check = |from: &str, to: &str, minutes: u64| {
            assert!(
                at(to) - at(from) > Duration::from_secs(60 * minutes),
                "{from} is over before its rule fires"
            );
        };
        check("every fourth", "the fault", 4);
        check("stopped", "started again", 5);
        check("begins to fill", "the leak", 2);
    }
}
