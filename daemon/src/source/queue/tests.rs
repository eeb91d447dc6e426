//! The queue against a naive model: a list of all records ever pushed, and a number for each subscriber.

use proptest::prelude::*;

use super::*;

fn record(payload: usize) -> NewRecord {
    NewRecord { timestamp: Timestamp::EPOCH, key: None, payload: Bytes::from(vec![b'x'; payload]) }
}

fn position(queue: &Queue, next: i64) -> Position {
    Position { topic: queue.shared.topic.to_string(), partition: 0, next }
}

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Read(usize),
    Commit(usize, i64),
    Subscribe,
    Leave(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..300).prop_map(Step::Push),
        4 => any::<usize>().prop_map(Step::Read),
        3 => (any::<usize>(), 0i64..40).prop_map(|(at, next)| Step::Commit(at, next)),
        1 => Just(Step::Subscribe),
        1 => any::<usize>().prop_map(Step::Leave),
    ]
}

/// The model of one subscriber.
struct Twin {
    source: QueueSource,
    next: usize,
    committed: usize,
}

#[derive(Default)]
struct Model {
    /// Payload lengths of all records that were taken.
    pushed: Vec<usize>,
    base: usize,
    held: Option<usize>,
    acked: usize,
}

const BYTES_MAX: u64 = 1000;

fn run(steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let queue = Queue::new(BYTES_MAX);
    let (mut model, mut twins) = (Model::default(), Vec::<Twin>::new());
    for step in steps {
        match step {
            Step::Push(payload) => {
                let held: u64 = model.pushed[model.base..]
                    .iter()
                    .map(|length| *length as u64 + RECORD_OVERHEAD_BYTES)
                    .sum();
                let fits = held == 0 || held + payload as u64 + RECORD_OVERHEAD_BYTES <= BYTES_MAX;
                let pushed =
                    queue.shared.admit(&mut queue.shared.state(), &mut VecDeque::from([record(payload)]));
                assert_eq!(pushed.unwrap().is_some(), fits);
                if fits {
                    model.pushed.push(payload);
                }
            }
            Step::Subscribe => {
                twins.push(Twin { source: queue.subscribe(), next: model.base, committed: model.base });
            }
            Step::Read(at) if !twins.is_empty() => {
                let at = at % twins.len();
                let batch = runtime.block_on(twins[at].source.next(Duration::ZERO)).unwrap();
                let found: Vec<_> =
                    batch.records.iter().map(|record| (record.offset, record.payload.len())).collect();
                let expected: Vec<_> = (twins[at].next..model.pushed.len())
                    .map(|offset| (offset as i64, model.pushed[offset]))
                    .collect();
                assert_eq!(found, expected);
                assert!(batch.is_caught_up);
                twins[at].next = model.pushed.len();
            }
            Step::Commit(at, next) if !twins.is_empty() => {
                let at = at % twins.len();
                runtime.block_on(twins[at].source.commit(&[position(&queue, next)])).unwrap();
                let twin = &mut twins[at];
                twin.committed = twin.committed.max(twin.next.min(next as usize));
            }
            Step::Leave(at) if !twins.is_empty() => {
                let twin = twins.remove(at % twins.len());
                if twin.committed < twin.next {
                    model.held = Some(model.held.map_or(twin.committed, |held| held.min(twin.committed)));
                }
            }
            Step::Read(_) | Step::Commit(..) | Step::Leave(_) => {}
        }
        if let Some(read) = twins.iter().map(|twin| twin.next).min() {
            model.base = model.base.max(read);
        }
        if let Some(acked) = twins.iter().map(|twin| twin.committed).chain(model.held).min() {
            model.acked = model.acked.max(acked);
        }
        assert_eq!(*queue.acked().borrow(), model.acked as i64);
        assert!(queue.bytes() <= BYTES_MAX);
    }
}

proptest! {
    #[test]
    fn every_subscriber_reads_what_was_pushed(steps in prop::collection::vec(step(), 0..80)) {
        run(steps);
    }
}

#[tokio::test]
async fn a_full_queue_holds_its_producer_until_all_have_read() {
    let queue = Queue::new(2 * (RECORD_OVERHEAD_BYTES + 10));
    let (mut one, mut two) = (queue.subscribe(), queue.subscribe());
    let producer = tokio::spawn({
        let queue = queue.clone();
        async move { queue.push(vec![record(10), record(10), record(10)]).await }
    });
    let wait = Duration::from_secs(30);
    assert_eq!(one.next(wait).await.unwrap().records.len(), 2);
    assert!(!producer.is_finished(), "the other subscriber has not read");
    assert_eq!(two.next(wait).await.unwrap().records.len(), 2);
    assert_eq!(producer.await.unwrap(), Ok(3));
    assert_eq!(one.next(wait).await.unwrap().records[0].offset, 2);
}

#[test]
fn a_thread_waits_for_room_too() {
    let queue = Queue::new(RECORD_OVERHEAD_BYTES + 10);
    let source = queue.subscribe();
    let thread = std::thread::spawn({
        let queue = queue.clone();
        move || queue.push_blocking(vec![record(10), record(10)])
    });
    let mut read = 0;
    while read < 2 {
        read += source.take().records.len();
    }
    assert_eq!(thread.join().unwrap(), Ok(2));
}

#[tokio::test]
async fn closing_ends_a_wait_and_keeps_what_is_there() {
    let queue = Queue::new(RECORD_OVERHEAD_BYTES);
    let mut source = queue.subscribe();
    let producer = tokio::spawn({
        let queue = queue.clone();
        async move { queue.push(vec![record(0), record(0)]).await }
    });
    while queue.bytes() == 0 {
        tokio::task::yield_now().await;
    }
    queue.close();
    assert_eq!(producer.await.unwrap(), Err(QueueClosed));
    assert_eq!(source.next(Duration::ZERO).await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn positions_of_another_process_are_ignored() {
    let queue = Queue::new(1000);
    let mut source = queue.subscribe();
    queue.push(vec![record(1), record(2)]).await.unwrap();
    source.seek(&[Position { topic: "queue-of-old".to_owned(), partition: 0, next: 2 }]);
    assert_eq!(source.next(Duration::ZERO).await.unwrap().records.len(), 2);
    assert_ne!(Queue::new(1).shared.topic, queue.shared.topic);
}

#[tokio::test]
async fn a_subscriber_that_leaves_early_holds_the_ack() {
    let queue = Queue::new(1000);
    let (mut one, mut two) = (queue.subscribe(), queue.subscribe());
    queue.push(vec![record(1), record(2)]).await.unwrap();
    one.next(Duration::ZERO).await.unwrap();
    two.next(Duration::ZERO).await.unwrap();
    one.commit(&[position(&queue, 2)]).await.unwrap();
    two.commit(&[position(&queue, 1)]).await.unwrap();
    drop(two);
    queue.push(vec![record(3)]).await.unwrap();
    one.next(Duration::ZERO).await.unwrap();
    one.commit(&[position(&queue, 3)]).await.unwrap();
    assert_eq!(*queue.acked().borrow(), 1, "what it had not committed is read again from the file");
}
