//! `sample`: a share of the records.
//!
//! Enters: a record's id. Leaves: whether it is among those that are kept. Never: a die. The verdict follows from the id
//! alone, so a line that is read again after a restart has the verdict that it had.

use event::StreamId;
use schemars::JsonSchema;
use serde::Deserialize;
use yaml::Percent;

use super::When;
use super::view::View;

/// Keeps a share of the records and leaves out the others. The same line always has the same verdict, after a restart
/// too.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleConfig {
    /// The share that is kept, such as `10%` or `0.1`.
    pub rate: Percent,
    /// Records that are kept whatever the share, in KQL, such as `log.level: (error or fatal)`.
    pub keep: Option<When>,
    /// Which records are sampled, in KQL; all when it is left out.
    pub when: Option<When>,
}

impl SampleConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.rate.0 <= 0.0 {
            return Err("`rate` is 0%: to leave out all, write `drop`".to_owned());
        }
        if self.rate.0 > 1.0 {
            return Err(format!("`rate` is {}: more than all cannot be kept", self.rate));
        }
        Ok(())
    }
}

/// The processor.
#[derive(Debug)]
pub(super) struct Sample {
    /// Of 2^64.
    share: u128,
    keep: Option<When>,
}

impl Sample {
    pub(super) fn new(config: &SampleConfig) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share lies within 0 and 1"
        )]
        let share = (config.rate.0 * 2f64.powi(64)) as u128;
        Sample { share, keep: config.keep.clone() }
    }

    /// Is the record kept?
    pub(super) fn handle(&self, view: &View<'_, '_>) -> bool {
        u128::from(lot(view.stream(), view.offset())) < self.share
            || self.keep.as_ref().is_some_and(|keep| keep.0.matches(view))
    }
}

/// A number of 64 bits that belongs to the record for ever.
fn lot(stream: StreamId, offset: u64) -> u64 {
    let mut id = [0; 24];
    let (front, back) = id.split_at_mut(16);
    front.copy_from_slice(&stream.as_u128().to_le_bytes());
    back.copy_from_slice(&offset.to_le_bytes());
    xxhash_rust::xxh3::xxh3_64(&id)
}
