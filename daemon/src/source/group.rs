//! A consumer group member's share of a topic.
//!
//! Enters: the group's assignments, the caller's positions, ends of partitions. Leaves: where each partition goes on, and
//! whether all were read to their end. Never: a record.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, Statistics, TopicPartitionList};

use super::Position;
use crate::kafka::ClientEvents;

/// The member's partitions; clones share them, because librdkafka assigns from inside a poll.
#[derive(Debug, Clone)]
pub(super) struct Group {
    topic: Arc<str>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// Where partitions go on that come (back) to this member.
    starts: BTreeMap<i32, i64>,
    assigned: BTreeMap<i32, Progress>,
    commit_failure: Option<String>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    /// The offset after the last record that the caller was given.
    next: Option<i64>,
    is_ended: bool,
    /// Where the partition ended when the statistics last said so.
    end: Option<i64>,
}

impl Progress {
    /// librdkafka reports an end only when a fetch brings nothing. Under a steady stream no fetch does, so who has
    /// passed the end of a second ago is at the end too.
    fn is_at_end(&self) -> bool {
        self.is_ended || self.next.zip(self.end).is_some_and(|(next, end)| next >= end)
    }
}

impl Group {
    pub(super) fn new(topic: Arc<str>) -> Self {
        Group { topic, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The caller's positions, before the partitions come or while they are here.
    pub(super) fn seek(&self, positions: &[Position]) {
        let mut state = self.state();
        for position in positions.iter().filter(|position| position.topic == *self.topic) {
            state.starts.insert(position.partition, position.next);
            if let Some(progress) = state.assigned.get_mut(&position.partition) {
                *progress = Progress { next: Some(position.next), ..Progress::default() };
            }
        }
    }

    /// The positions of partitions that are here; they are also where a partition goes on that leaves and comes back.
    pub(super) fn committed(&self, positions: &[Position]) -> KafkaResult<TopicPartitionList> {
        let mut state = self.state();
        let mut list = TopicPartitionList::new();
        for position in positions.iter().filter(|position| position.topic == *self.topic) {
            state.starts.insert(position.partition, position.next);
            if state.assigned.contains_key(&position.partition) {
                list.add_partition_offset(&self.topic, position.partition, Offset::Offset(position.next))?;
            }
        }
        Ok(list)
    }

    /// Why the last commit failed, once.
    pub(super) fn commit_failure(&self) -> Option<String> {
        self.state().commit_failure.take()
    }

    /// A record was given to the caller.
    pub(super) fn passed(&self, partition: i32, offset: i64) {
        if let Some(progress) = self.state().assigned.get_mut(&partition) {
            progress.next = Some(offset + 1);
            progress.is_ended = false;
        }
    }

    /// The statistics say where a partition ends now.
    fn measured(&self, partition: i32, end: i64) {
        if let Some(progress) = self.state().assigned.get_mut(&partition) {
            progress.end = Some(end);
        }
    }

    /// A partition has no further record now.
    pub(super) fn ended(&self, partition: i32) {
        if let Some(progress) = self.state().assigned.get_mut(&partition) {
            progress.is_ended = true;
        }
    }

    /// True when this member has partitions, and all were read to their end.
    pub(super) fn is_at_end(&self) -> bool {
        let state = self.state();
        !state.assigned.is_empty() && state.assigned.values().all(Progress::is_at_end)
    }

    pub(super) fn has_partitions(&self) -> bool {
        !self.state().assigned.is_empty()
    }

    /// The partitions that are here, each with where it goes on; none counts as read to its end.
    pub(super) fn assignment(&self) -> KafkaResult<TopicPartitionList> {
        let mut state = self.state();
        let starts = state.starts.clone();
        let mut list = TopicPartitionList::new();
        for (partition, progress) in &mut state.assigned {
            (progress.is_ended, progress.end) = (false, None);
            let next = progress.next.or_else(|| starts.get(partition).copied());
            list.add_partition_offset(&self.topic, *partition, next.map_or(Offset::Stored, Offset::Offset))?;
        }
        Ok(list)
    }

    fn assign(&self, partitions: &TopicPartitionList) {
        let elements = partitions.elements();
        let ours = elements.iter().filter(|element| element.topic() == &*self.topic);
        self.state().assigned = ours.map(|element| (element.partition(), Progress::default())).collect();
    }

    fn revoke(&self) {
        self.state().assigned.clear();
    }
}

/// What librdkafka calls back: rebalances and commits go to the [`Group`], the rest to [`ClientEvents`].
#[derive(Debug)]
pub(super) struct GroupEvents {
    pub(super) client: ClientEvents,
    group: Group,
}

impl GroupEvents {
    pub(super) fn new(client: ClientEvents, group: Group) -> Self {
        GroupEvents { client, group }
    }
}

impl ClientContext for GroupEvents {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.client.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.client.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let topic = statistics.topics.get(&*self.group.topic);
        // An end that is not known yet is negative.
        for (&id, partition) in
            topic.iter().flat_map(|topic| &topic.partitions).filter(|(_, one)| one.hi_offset >= 0)
        {
            self.group.measured(id, partition.hi_offset);
        }
        self.client.stats(statistics);
    }
}

impl ConsumerContext for GroupEvents {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let outcome = if event == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // An assignment is an answer; the statistics would say so up to a second later.
            self.client.up();
            self.group.assign(list);
            self.group.assignment().and_then(|list| consumer.assign(&list))
        } else {
            self.group.revoke();
            consumer.unassign()
        };
        match outcome {
            Ok(()) => {
                let partitions = self.group.state().assigned.len();
                tracing::info!(topic = %self.group.topic, partitions, "partitions changed");
            }
            Err(error) => tracing::warn!(topic = %self.group.topic, %error, "partitions were not taken over"),
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result {
            self.group.state().commit_failure = Some(error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(topic: &str, partition: i32, next: i64) -> Position {
        Position { topic: topic.to_owned(), partition, next }
    }

    fn list(partitions: &[i32]) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition("logs", *partition);
        }
        list
    }

    fn offsets(list: &TopicPartitionList) -> Vec<(i32, Offset)> {
        list.elements().iter().map(|element| (element.partition(), element.offset())).collect()
    }

    #[test]
    fn a_partition_goes_on_where_the_caller_said_else_where_the_group_committed() {
        let group = Group::new("logs".into());
        group.seek(&[position("logs", 0, 7), position("other", 1, 9)]);
        group.assign(&list(&[0, 1]));
        let assignment = group.assignment().unwrap();
        assert_eq!(offsets(&assignment), [(0, Offset::Offset(7)), (1, Offset::Stored)]);
    }

    #[test]
    fn a_partition_that_comes_back_goes_on_behind_the_last_commit() {
        let group = Group::new("logs".into());
        group.assign(&list(&[0, 1]));
        for offset in 0..5 {
            group.passed(0, offset);
        }
        let committed = group.committed(&[position("logs", 0, 3), position("logs", 2, 4)]).unwrap();
        assert_eq!(offsets(&committed), [(0, Offset::Offset(3))], "a partition that left is not committed");
        assert_eq!(
            offsets(&group.assignment().unwrap())[0],
            (0, Offset::Offset(5)),
            "while it stays, nothing repeats"
        );
        group.revoke();
        group.assign(&list(&[0]));
        assert_eq!(offsets(&group.assignment().unwrap()), [(0, Offset::Offset(3))]);
    }

    #[test]
    fn a_steady_stream_is_at_its_end_when_the_last_known_end_was_passed() {
        let group = Group::new("logs".into());
        group.assign(&list(&[0, 1]));
        group.ended(1);
        group.passed(0, 98);
        group.measured(0, 100);
        assert!(!group.is_at_end(), "one record is unread");
        group.passed(0, 99);
        assert!(group.is_at_end());
        group.passed(0, 100);
        assert!(group.is_at_end(), "what came since then is a second old at most");
        group.measured(0, 5000);
        assert!(!group.is_at_end(), "a backlog");
        group.measured(1, 3);
        assert!(!group.is_at_end());
        group.passed(0, 4999);
        assert!(group.is_at_end());
        group.assignment().unwrap();
        assert!(!group.is_at_end(), "an end of an earlier connection says nothing");
    }

    #[test]
    fn the_end_is_the_end_of_every_partition() {
        let group = Group::new("logs".into());
        assert!(!group.is_at_end(), "without partitions nothing is known");
        group.assign(&list(&[0, 1]));
        group.ended(0);
        assert!(!group.is_at_end());
        group.ended(1);
        assert!(group.is_at_end());
        group.passed(1, 10);
        assert!(!group.is_at_end());
        group.ended(1);
        group.seek(&[position("logs", 0, 0)]);
        assert!(!group.is_at_end());
    }
}
