//! Waiting for a condition, never for a time.

use std::time::{Duration, Instant};

/// The longest that anything here may take on a busy machine with two cores.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks `answer` until it says something; fails after [`PATIENCE`] with what was waited for.
///
/// # Panics
/// When the time is up.
pub fn until<T>(what: &str, answer: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, answer)
}

/// [`until`], with what the parts said meanwhile when it is in vain.
///
/// # Panics
/// When the time is up.
pub fn until_or_tell<T>(
    what: &str,
    account: impl Fn() -> String,
    mut answer: impl FnMut() -> Option<T>,
) -> T {
    let mut asked = 0_u64;
    let started = Instant::now();
    within(PATIENCE + Duration::from_secs(1), what, || {
        asked += 1;
        let answer = answer();
        let is_in_vain = answer.is_none() && started.elapsed() >= PATIENCE;
        assert!(!is_in_vain, "waited {PATIENCE:?}, asked {asked} times: {what}\n{}", account());
        answer
    })
}

/// [`until`] with a patience of one's own, for what is known to be slow.
///
/// # Panics
/// When the time is up.
pub fn within<T>(patience: Duration, what: &str, mut answer: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        assert!(started.elapsed() < patience, "waited {patience:?} for: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// [`until`] for asynchronous questions.
///
/// # Panics
/// When the time is up.
pub async fn until_async<T, F: Future<Output = Option<T>>>(what: &str, mut answer: impl FnMut() -> F) -> T {
    let asking = async {
        loop {
            if let Some(answer) = answer().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited {PATIENCE:?} for: {what}"),
    }
}
