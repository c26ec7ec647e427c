//! What a buffer is in the row of those before it.

/// What a buffer is in the row of those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The first frame of a run, or after a cut.
    First,
    /// A frame that moves the picture on.
    New,
    /// A frame that has been shown already.
    Repeated,
    /// A frame that came after a later one.
    OutOfOrder,
    /// Nobody knows.
    Unknown,
}
