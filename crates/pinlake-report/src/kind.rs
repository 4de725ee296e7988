//! What kind of failure an error of this crate is: the CLI turns a kind into an exit code without reading texts.

/// The kinds of failure, as a user tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// What was asked for is wrong: SQL, a parameter, a report's header, a name that does not exist.
    Usage,
    /// The lake's files are missing, damaged, or not what the log says they are.
    Integrity,
    /// Memory, disk or another limit of this machine or of the options.
    Resource,
    /// What was met outside the lake: the error's source is somebody else's, and says what it means.
    Outside,
    /// A bug, here or in a library.
    Unexpected,
}
