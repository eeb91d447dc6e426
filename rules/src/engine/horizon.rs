//! How far a group's time has come.
//!
//! Enters: the sources that the group's events came from, and what is read. Leaves: a [`Horizon`].
//! Never: the clock of a source that the group has nothing to do with.
//!
//! A group's time is that of the slowest of its live sources, less the grace. Sources that went idle hold nothing
//! back; when none is live, the wall clock moves the group on, so that a service that stopped pages. While records
//! are unread its time stands still.

use event::Timestamp;

use super::clock::Clock;
use super::group::{Group, Horizon};
use crate::settings::Settings;
use crate::source::{Hearing, Sources};
use crate::window::STEP_MIN;

/// Moves the group's time on and tells how far it may be judged. `outlives_view`: a lost view is judged too.
pub fn horizon(
    group: &mut Group,
    outlives_view: bool,
    sources: &Sources,
    clock: Clock,
    settings: &Settings,
) -> Horizon {
    let (mut reached, mut reached_slow) = (None::<Timestamp>, None::<Timestamp>);
    let (mut is_blind, mut is_idle) = (false, false);
    for source in group.sources.iter().filter_map(|&place| sources.at(place)) {
        match source.hearing {
            Hearing::Live => {
                let slot = if source.is_slow { &mut reached_slow } else { &mut reached };
                let at = source.reached(settings).floor(STEP_MIN);
                *slot = Some(slot.map_or(at, |known| known.min(at)));
            }
            Hearing::Idle => is_idle = true,
            Hearing::Blind => is_blind = true,
        }
    }
    let live = reached.or(reached_slow);
    let is_lost = is_blind && !is_idle && live.is_none();
    if clock.is_caught_up {
        let by_wall = clock.second.minus(settings.idle);
        let settled = match live {
            Some(reached) => reached.minus(settings.grace),
            None if is_lost && !outlives_view => group.settled,
            None => by_wall,
        };
        group.settled = group.settled.max(settled);
    }
    let forced = group.newest.minus(settings.hold_max);
    Horizon { until: group.settled.max(forced), is_held: forced > group.settled, is_blind, is_lost }
}
