use std::collections::BTreeMap;

use event::EventId;
use proptest::prelude::*;

use super::*;

/// What Elasticsearch does with a request, at random.
#[derive(Debug, Clone)]
enum Mood {
    Items(Vec<u16>),
    Status(u16),
    Lost,
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        4 => proptest::collection::vec(prop::sample::select(vec![201_u16, 201, 409, 429, 400]), 1..8).prop_map(Mood::Items),
        1 => prop::sample::select(vec![413_u16, 400, 429, 503]).prop_map(Mood::Status),
        1 => Just(Mood::Lost),
    ]
}

proptest! {
    /// However Elasticsearch behaves: each document is settled once, and no position passes one that is not.
    #[test]
    fn nothing_is_lost_and_nothing_is_committed_early(
        moods in proptest::collection::vec(mood(), 0..40),
        documents in 1_usize..8,
        partitions in proptest::collection::vec(0_i32..3, 1..40),
    ) {
        let mut core = Core::new(limits(documents, 10_000));
        let mut now = Timestamp::from_secs(1000);
        let mut nexts = [0_i64; 3];
        let all: Vec<Document> = partitions.iter().map(|partition| {
            let next = &mut nexts[*partition as usize];
            *next += 1;
            document(*partition, *next - 1)
        }).collect();
        let mut settled: BTreeMap<EventId, usize> = BTreeMap::new();
        let mut committed: BTreeMap<i32, i64> = BTreeMap::new();
        let mut moods = moods.into_iter();
        let mut out = Vec::new();
        core.handle(Input::Documents(all.clone()), now, &mut out);
        for _ in 0..5000 {
            let mut inputs = Vec::new();
            for output in out.drain(..) {
                match output {
                    Output::Prepare | Output::Probe => inputs.push(Input::Checked(Ok(()))),
                    Output::Bury(letters) => {
                        for (document, _) in letters {
                            *settled.entry(document.id).or_default() += 1;
                        }
                        inputs.push(Input::Buried(Ok(())));
                    }
                    Output::Send(body) => {
                        let text = String::from_utf8(body.to_vec()).unwrap();
                        let ids: Vec<EventId> = text.lines().step_by(2)
                            .map(|line| line.split('"').nth(5).unwrap().parse().unwrap()).collect();
                        inputs.push(Input::Answered(match moods.next().unwrap_or(Mood::Items(vec![201]))
                        {
                            Mood::Items(statuses) => {
                                let statuses: Vec<u16> = statuses.iter().copied().cycle().take(ids.len()).collect();
                                for (id, status) in ids.iter().zip(&statuses) {
                                    if matches!(status, 201 | 409) {
                                        *settled.entry(*id).or_default() += 1;
                                    }
                                }
                                Ok(answer(&statuses))
                            }
                            Mood::Status(status) => Ok(Answer { status, body: Bytes::new() }),
                            Mood::Lost => Err("away".to_owned()),
                        }));
                    }
                    Output::Commit(positions) => {
                        for position in positions {
                            let before = all.iter().filter(|document| {
                                document.partition == position.partition && document.offset < position.next
                            });
                            for document in before {
                                prop_assert!(settled.contains_key(&document.id));
                            }
                            committed.insert(position.partition, position.next);
                        }
                    }
                    Output::Settled(_) | Output::Up(_) | Output::Down(..) | Output::Shrunk(_) => {}
                }
            }
            if core.is_drained() && inputs.is_empty() {
                break;
            }
            for input in inputs {
                core.handle(input, now, &mut out);
            }
            if out.is_empty() && let Some(deadline) = core.deadline() {
                now = now.max(deadline);
                core.tick(now, &mut out);
            }
        }
        prop_assert!(core.is_drained());
        prop_assert_eq!(settled.len(), all.len());
        prop_assert!(settled.values().all(|times| *times == 1));
        for (partition, next) in (0..).zip(nexts) {
            prop_assert_eq!(committed.get(&partition).copied().unwrap_or(0), next);
        }
    }
}
