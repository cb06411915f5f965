//! The exit codes of every muletrain binary: a contract that scripts rely on.

/// How a command ended. Where several hold, the strongest is the answer.
///
/// The order of the variants is their strength, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ExitCode {
    /// Every test has a verdict and none is red.
    #[default]
    Green,
    /// The arguments or the configuration are wrong, or the selection matches nothing.
    Usage,
    /// A test failed, ended in error, crashed, timed out or passed unexpectedly.
    Red,
    /// A test has no verdict because work was lost or ran out of attempts.
    Incomplete,
    /// What the run needs could not start: no Docker, no image, no agent, no service.
    Infrastructure,
    /// A person or a signal stopped it.
    Interrupted,
}

impl ExitCode {
    /// The process exit status.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Self::Green => 0,
            Self::Red => 1,
            Self::Usage => 2,
            Self::Incomplete => 3,
            Self::Infrastructure => 4,
            Self::Interrupted => 130,
        }
    }

    /// What a process that ended with this status meant; `None` for a status that is not ours.
    #[must_use]
    pub fn from_status(status: i32) -> Option<Self> {
        [
            Self::Green,
            Self::Usage,
            Self::Red,
            Self::Incomplete,
            Self::Infrastructure,
            Self::Interrupted,
        ]
        .into_iter()
        .find(|code| i32::from(code.status()) == status)
    }

    /// The stronger of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.status())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_wins() {
        let order = [130, 4, 3, 1, 2, 0].map(|status| ExitCode::from_status(status).unwrap());
        assert!(order.is_sorted_by(|stronger, weaker| stronger > weaker));
        assert_eq!(ExitCode::Red.and(ExitCode::Usage), ExitCode::Red);
        assert_eq!(ExitCode::from_status(101), None);
    }
}
