//! How far offsets move.

use proptest::prelude::*;

use super::*;
use crate::route::LANES_MAX;

const MAIN: LaneId = LaneId::MAIN;

fn lane(place: usize) -> LaneId {
    LaneId::at(place).unwrap()
}

#[test]
fn the_offset_never_jumps_over_a_gap() {
    let mut window = Window::resume(7, 100, 0, Losses::default());
    let numbers = [window.push(110, MAIN, 1), window.push(120, MAIN, 2), window.push(130, MAIN, 4)];
    assert_eq!(numbers, [7, 8, 9]);
    for (sequence, freed, offset) in [(9, 4, 100), (7, 1, 110), (7, 0, 110), (8, 2, 130), (9, 0, 130)] {
        let found = window.settle(sequence, Fate::Acked);
        assert_eq!(found, (freed > 0).then_some((MAIN, freed)), "{sequence}");
        assert_eq!(window.offset(), offset, "{sequence}");
        assert_eq!(window.waiting_end(), (offset < 130).then_some(130), "{sequence}");
    }
    assert!(window.is_empty());
}

#[test]
fn a_lane_that_stands_still_keeps_the_offset_and_nothing_in_memory() {
    let mut window = Window::default();
    let stuck = window.push(10, lane(1), 5);
    for number in 1..10_000u64 {
        let sequence = window.push(number * 10 + 5, MAIN, 3);
        window.skip(number * 10 + 10, Part::Filtered);
        assert_eq!(window.settle(sequence, Fate::Acked), Some((MAIN, 3)));
    }
    let flights: usize = window.lanes.iter().map(|(_, flights)| flights.len()).sum();
    assert_eq!((window.offset(), window.filtered(), flights), (0, 0, 1));
    assert!(window.skips.len() <= SKIPS_MIN, "{}", window.skips.len());
    assert_eq!(window.settle(stuck, Fate::Acked), Some((lane(1), 5)));
    assert_eq!((window.offset(), window.filtered()), (100_000, 9_999 * 5));
}

#[test]
fn a_fate_of_another_window_changes_nothing() {
    let mut window = Window::resume(1 << 24, 0, 0, Losses::default());
    window.push(10, MAIN, 1);
    for stale in [0, 5, (1 << 24) - 1, (1 << 24) + 1, (1 << 40) - 1] {
        assert_eq!(window.settle(stale, Fate::Acked), None);
    }
    assert_eq!(window.offset(), 0);
}

#[test]
fn numbers_wrap_as_tickets_do() {
    let first = (1 << 40) - 1;
    let mut window = Window::resume(first, 0, 0, Losses::default());
    let tickets = [window.push(1, MAIN, 1), window.push(2, MAIN, 1)].map(|sequence| Ticket::new(3, sequence));
    assert_eq!(tickets[1].sequence(), 0);
    window.settle(tickets[1].sequence(), Fate::Acked);
    window.settle(tickets[0].sequence(), Fate::Acked);
    assert_eq!(window.offset(), 2);
}

/// One step of a stream's life.
#[derive(Debug, Clone)]
enum Act {
    Push(u64, usize),
    Skip(u64, Part),
    /// Settles one of the records in flight.
    Settle(prop::sample::Index, Fate),
    PutTogether,
}

fn act() -> impl Strategy<Value = Act> {
    let part = prop_oneof![
        Just(Part::Filtered),
        Just(Part::TooLong),
        Just(Part::Truncated),
        Just(Part::Vanished),
        Just(Part::OverBudget)
    ];
    let fate = prop_oneof![9 => Just(Fate::Acked), 1 => Just(Fate::DeadLettered)];
    prop_oneof![
        4 => (1u64..50, 0..LANES_MAX).prop_map(|(bytes, lane)| Act::Push(bytes, lane)),
        2 => (1u64..50, part).prop_map(|(bytes, part)| Act::Skip(bytes, part)),
        4 => (any::<prop::sample::Index>(), fate).prop_map(|(index, fate)| Act::Settle(index, fate)),
        1 => Just(Act::PutTogether),
    ]
}

/// The same, byte by byte: what became of each, in a plain list. `Some(None)` is acknowledged.
#[derive(Default)]
struct Naive {
    bytes: Vec<Option<Option<Part>>>,
    flying: Vec<(u64, LaneId, std::ops::Range<usize>)>,
}

impl Naive {
    fn settled(&self) -> &[Option<Option<Part>>] {
        let end = self.bytes.iter().position(Option::is_none).unwrap_or(self.bytes.len());
        &self.bytes[..end]
    }

    fn count(&self, part: Part) -> u64 {
        self.settled().iter().filter(|byte| **byte == Some(Some(part))).count() as u64
    }
}

proptest! {
    #[test]
    fn agrees_with_a_list_of_bytes(acts in prop::collection::vec(act(), 0..200)) {
        let (mut window, mut naive) = (Window::default(), Naive::default());
        for act in acts {
            let start = naive.bytes.len();
            match act {
                Act::Push(bytes, place) => {
                    naive.bytes.resize(start + bytes as usize, None);
                    let sequence = window.push(naive.bytes.len() as u64, lane(place), 3);
                    naive.flying.push((sequence, lane(place), start..naive.bytes.len()));
                }
                Act::Skip(bytes, part) => {
                    naive.bytes.resize(start + bytes as usize, Some(Some(part)));
                    window.skip(naive.bytes.len() as u64, part);
                }
                Act::Settle(index, fate) if !naive.flying.is_empty() => {
                    let (sequence, lane, range) = naive.flying.swap_remove(index.index(naive.flying.len()));
                    let part = (fate == Fate::DeadLettered).then_some(Part::DeadLettered);
                    naive.bytes[range].fill(Some(part));
                    prop_assert_eq!(window.settle(sequence, fate), Some((lane, 3)));
                    prop_assert_eq!(window.settle(sequence, fate), None);
                }
                Act::Settle(..) => {}
                Act::PutTogether => window.put_together(),
            }
            prop_assert_eq!(window.offset(), naive.settled().len() as u64);
            prop_assert_eq!(window.filtered(), naive.count(Part::Filtered));
            prop_assert_eq!(*window.lost(), Losses {
                line_too_long: naive.count(Part::TooLong),
                truncated: naive.count(Part::Truncated),
                vanished: naive.count(Part::Vanished),
                dead_lettered: naive.count(Part::DeadLettered),
                over_budget: naive.count(Part::OverBudget),
                    unseen: 0,
            });
            prop_assert_eq!(window.is_empty(), naive.flying.is_empty());
        }
    }
}
