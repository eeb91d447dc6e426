//! What the engine counted since it was made; a restart begins at zero.
//!
//! Enters: nothing. Leaves: counters for metrics and the console.

/// Counters; those from `groups` on are how it is now, the others only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Events taken, duplicates and heartbeats included.
    pub events: u64,
    /// Events that had been counted before.
    pub duplicates: u64,
    /// Heartbeats.
    pub heartbeats: u64,
    /// (event, rule) pairs that matched and were counted in a window.
    pub matched: u64,
    /// (event, rule) pairs that came after the decision they belonged to.
    pub late: u64,
    /// Events from the future, taken at the time of receipt.
    pub skewed: u64,
    /// (event, rule) pairs without a field that the rule groups by; not counted in any window.
    pub ungrouped: u64,
    /// (event, rule) pairs of groups beyond `groups_max`; not counted in any window.
    pub groups_refused: u64,
    /// Events of sources beyond `sources_max`.
    pub sources_refused: u64,
    /// Streams forgotten to make room before their time.
    pub streams_evicted: u64,
    /// Transitions given out.
    pub transitions: u64,
    /// Templates that could not be rendered; the transition carries a fallback text.
    pub render_errors: u64,
    /// Groups now held.
    pub groups: u64,
    /// Sources now known.
    pub sources: u64,
    /// Sources now blind.
    pub blind: u64,
    /// Sources that now report a backlog.
    pub behind: u64,
    /// Sources whose clock is now off by more than `skew_max`.
    pub skewed_sources: u64,
    /// Rules that are tried for every event, because their `match` demands no equality.
    pub broad_rules: u64,
}

/// What was counted for one rule since it was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleStats {
    /// Events counted in a window.
    pub matched: u64,
    /// Those of them that came after their edge was judged.
    pub late: u64,
    /// Events without a field of `group_by`.
    pub ungrouped: u64,
    /// Events of groups beyond `groups_max`.
    pub groups_refused: u64,
}
