//! Points in time and spans as text.
//!
//! Enters: RFC 3339 text or nanoseconds. Leaves: the same, the other way round. Never: the current time.

use std::fmt;
use std::time::Duration;

/// Nanoseconds since 1970-01-01T00:00:00Z; the range is the years 1677 to 2262. Serialized as RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Text that is not an RFC 3339 time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time: write RFC 3339, such as 2026-11-23T10:30:45.123Z")]
pub struct TimeError(pub String);

impl Timestamp {
    /// The first moment of 1970.
    pub const EPOCH: Timestamp = Timestamp(0);
    /// Later than every other moment.
    pub const MAX: Timestamp = Timestamp(i64::MAX);
    /// Earlier than every other moment.
    pub const MIN: Timestamp = Timestamp(i64::MIN);

    /// From nanoseconds since 1970.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Timestamp(nanos)
    }

    /// From milliseconds since 1970, as Kafka counts; saturates at the ends of the range.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Timestamp(millis.saturating_mul(1_000_000))
    }

    /// From whole seconds since 1970; saturates at the ends of the range.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Timestamp(secs.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds since 1970, rounded towards the past.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole seconds since 1970, rounded towards the past.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> Duration {
        u64::try_from(self.0.saturating_sub(earlier.0)).map_or(Duration::ZERO, Duration::from_nanos)
    }

    /// `span` later; saturates at [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Timestamp(self.0.saturating_add(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// `span` earlier; saturates at [`Timestamp::MIN`].
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Timestamp(self.0.saturating_sub(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// The start of the `width`-wide bucket that this moment falls into; buckets are aligned to 1970.
    /// A zero `width` leaves the moment as it is.
    #[must_use]
    pub fn floor(self, width: Duration) -> Self {
        match i64::try_from(width.as_nanos()) {
            Ok(width) if width > 0 => Timestamp(self.0.div_euclid(width).saturating_mul(width)),
            _ => self,
        }
    }

    /// Reads RFC 3339 text (`2026-11-23T10:30:45.123Z`, any offset).
    ///
    /// # Errors
    /// [`TimeError`] when the text is something else or outside the range.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let wrong = || TimeError(text.chars().take(64).collect());
        let parsed: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        i64::try_from(parsed.as_nanosecond()).map(Timestamp).map_err(|_| wrong())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with milliseconds, or with nanoseconds where there are any: `2026-11-23T10:30:45.123Z`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(32);
        crate::encode::push_timestamp(&mut text, *self);
        out.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Timestamp::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(Timestamp::parse(text).ok().map(Timestamp::as_nanos), expected, "{text}");
    }

    #[test]
    fn reads_rfc_3339() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01T08:00:00.000000001+08:00", Some(1));
        check("1969-12-31T23:59:59.999Z", Some(-1_000_000));
        check("2026-11-23T10:30:45.123Z", Some(1_795_429_845_123_000_000));
        for text in ["", "2026-11-23", "yesterday", "1600-01-01T00:00:00Z", "2300-01-01T00:00:00Z"] {
            check(text, None);
        }
    }

    #[test]
    fn an_error_names_the_text_and_the_way_out() {
        let error = Timestamp::parse(&"x".repeat(100)).unwrap_err().to_string();
        let expected =
            format!("`{}` is not a time: write RFC 3339, such as 2026-11-23T10:30:45.123Z", "x".repeat(64));
        assert_eq!(error, expected);
    }

    #[test]
    fn counts_towards_the_past_below_zero() {
        let time = Timestamp::from_nanos(-1);
        assert_eq!((time.as_millis(), time.as_secs()), (-1, -1));
        let minute = Duration::from_secs(60);
        assert_eq!(time.floor(minute), Timestamp::from_secs(-60));
        assert_eq!(Timestamp::from_secs(119).floor(minute), Timestamp::from_secs(60));
        assert_eq!(time.floor(Duration::ZERO), time);
    }

    #[test]
    fn saturates_at_the_ends() {
        let second = Duration::from_secs(1);
        assert_eq!(Timestamp::MAX.plus(second), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.minus(second), Timestamp::MIN);
        assert_eq!(Timestamp::EPOCH.plus(Duration::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_secs(i64::MAX), Timestamp::MAX);
        assert_eq!(Timestamp::from_millis(i64::MIN), Timestamp::MIN);
        assert_eq!(Timestamp::EPOCH.since(Timestamp::MAX), Duration::ZERO);
        assert_eq!(Timestamp::MAX.since(Timestamp::MIN), Duration::from_nanos(i64::MAX.unsigned_abs()));
    }

    proptest! {
        #[test]
        fn serializes_to_text_and_back(nanos in any::<i64>()) {
            let time = Timestamp::from_nanos(nanos);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
            let json = serde_json::to_string(&time).unwrap();
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), time);
        }

        #[test]
        fn a_bucket_holds_its_moment(nanos in -1_000_000_000_000_i64..1_000_000_000_000, width in 1_u64..10_000_000_000) {
            let (time, width) = (Timestamp::from_nanos(nanos), Duration::from_nanos(width));
            let start = time.floor(width);
            prop_assert!(start <= time && time < start.plus(width));
            prop_assert_eq!(start.floor(width), start);
        }
    }
}
