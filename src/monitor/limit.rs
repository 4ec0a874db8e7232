//! Rate limits: a flooded hook is suspended, and says so.

use std::time::{Duration, Instant};

/// How often a hook may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls that are allowed within [`RateLimit::window`]; 0 for any number.
    pub calls: u32,
    /// Time in which they are counted.
    pub window: Duration,
    /// How long the hook stays suspended.
    pub suspension: Duration,
}

/// What becomes of a hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is reported, together with the number of hits missed since the last report.
    Report {
        /// Hits that a suspension swallowed.
        missed: u64,
    },
    /// It is the last one that is reported: the hook is suspended from here on.
    Suspend,
    /// It is swallowed.
    Swallow,
}

/// Counts the hits of one hook.
#[derive(Debug)]
pub struct Limiter {
    limit: RateLimit,
    window_start: Option<Instant>,
    calls: u32,
    suspended_until: Option<Instant>,
    missed: u64,
}

impl RateLimit {
    /// Any number of calls.
    pub const NONE: Self = Self {
        calls: 0,
        window: Duration::ZERO,
        suspension: Duration::ZERO,
    };
}

impl Limiter {
    /// A limiter that has seen nothing yet.
    pub const fn new(limit: RateLimit) -> Self {
        Self {
            limit,
            window_start: None,
            calls: 0,
            suspended_until: None,
            missed: 0,
        }
    }

    /// Counts one hit.
    pub fn admit(&mut self, now: Instant) -> Admission {
        if self.limit.calls == 0 {
            return Admission::Report { missed: 0 };
        }
        if self.suspended_until.is_some_and(|end| now < end) {
            self.missed = self.missed.saturating_add(1);
            return Admission::Swallow;
        }
        self.suspended_until = None;
        self.count(now);
        if self.calls > self.limit.calls {
            self.window_start = None;
            self.suspended_until = now.checked_add(self.limit.suspension);
            return Admission::Suspend;
        }
        let missed = std::mem::take(&mut self.missed);
        Admission::Report { missed }
    }

    fn count(&mut self, now: Instant) {
        let inside = self
            .window_start
            .is_some_and(|start| now.saturating_duration_since(start) < self.limit.window);
        if !inside {
            self.window_start = Some(now);
            self.calls = 0;
        }
        self.calls = self.calls.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_suspended_once_and_counted() {
        let limit = RateLimit {
            calls: 2,
            window: Duration::from_secs(1),
            suspension: Duration::from_secs(5),
        };
        let mut limiter = Limiter::new(limit);
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let plain = Admission::Report { missed: 0 };
        assert_eq!(limiter.admit(start), plain);
        assert_eq!(limiter.admit(start), plain);
        assert_eq!(limiter.admit(start), Admission::Suspend);
        assert_eq!(limiter.admit(at(1)), Admission::Swallow);
        assert_eq!(limiter.admit(at(4)), Admission::Swallow);
        assert_eq!(limiter.admit(at(5)), Admission::Report { missed: 2 });
        assert_eq!(limiter.admit(at(7)), plain, "a new window");
        assert_eq!(Limiter::new(RateLimit::NONE).admit(start), plain);
    }
}
