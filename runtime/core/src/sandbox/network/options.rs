//! Socket options: what may be set, how it is clamped, what it starts as.
//!
//! Pure. Values out of range are clamped in silence, as kernels do; zero is an error, as the
//! WASI documents say. Defaults and limits are Linux' own (`tcp(7)`), save the buffer sizes, which
//! are ours: the pipe that carries a connection holds 256 KiB.

use std::time::Duration;

use super::NetworkError;

/// What a pipe holds unless a guest asks for something else; the best of 64 KiB to 1 MiB for bulk.
pub(crate) const DEFAULT_BUFFER: usize = 256 * 1024;
const SMALLEST_BUFFER: usize = 2 * 1024;
const LARGEST_BUFFER: usize = 1024 * 1024;
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(32_767);

/// The default length of a listener's queue, as in Rust's standard library.
pub(crate) const DEFAULT_BACKLOG: usize = 128;
/// `net.core.somaxconn`
pub(crate) const LARGEST_BACKLOG: usize = 4096;

/// The options of a TCP socket; an accepted socket starts with those of its listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpOptions {
    /// Whether keep-alive probes are wanted. In memory the other side cannot vanish unseen.
    pub keep_alive: bool,
    /// How long a connection is idle before the first probe.
    pub keep_alive_idle: Duration,
    /// The time between probes.
    pub keep_alive_interval: Duration,
    /// How many unanswered probes end the connection.
    pub keep_alive_count: u32,
    /// Time to live of a packet.
    pub hop_limit: u8,
    /// Bytes that wait for this socket's reader before the writer must wait.
    pub receive_buffer: usize,
    /// Stored for the guest; in memory the receive buffer of the other side is what counts.
    pub send_buffer: usize,
    /// `TCP_NODELAY`, stored for the guest: nothing is delayed, whatever it says.
    pub no_delay: bool,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            keep_alive: false,
            keep_alive_idle: Duration::from_secs(7200),
            keep_alive_interval: Duration::from_secs(75),
            keep_alive_count: 9,
            hop_limit: 64,
            receive_buffer: DEFAULT_BUFFER,
            send_buffer: DEFAULT_BUFFER,
            no_delay: false,
        }
    }
}

/// A buffer size as it is kept: at least 2 KiB, at most 1 MiB.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for zero.
pub(crate) fn buffer_size(bytes: u64) -> Result<usize, NetworkError> {
    if bytes == 0 {
        return Err(NetworkError::InvalidArgument);
    }
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    Ok(bytes.clamp(SMALLEST_BUFFER, LARGEST_BUFFER))
}

/// A keep-alive time as it is kept: one second to 32,767 seconds.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for zero.
pub(crate) fn keep_alive_time(time: Duration) -> Result<Duration, NetworkError> {
    if time.is_zero() {
        return Err(NetworkError::InvalidArgument);
    }
    Ok(time.clamp(Duration::from_secs(1), LONGEST_KEEP_ALIVE))
}

/// A number of probes as it is kept: 1 to 127.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for zero.
pub(crate) fn keep_alive_count(count: u32) -> Result<u32, NetworkError> {
    if count == 0 {
        return Err(NetworkError::InvalidArgument);
    }
    Ok(count.min(127))
}

/// A hop limit; all but zero are possible.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for zero.
pub(crate) fn hop_limit(hops: u8) -> Result<u8, NetworkError> {
    if hops == 0 { Err(NetworkError::InvalidArgument) } else { Ok(hops) }
}

/// The length of a listener's queue as it is kept: 1 to 4096.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for zero.
pub(crate) fn backlog(length: u64) -> Result<usize, NetworkError> {
    if length == 0 {
        return Err(NetworkError::InvalidArgument);
    }
    Ok(usize::try_from(length).unwrap_or(usize::MAX).clamp(1, LARGEST_BACKLOG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_refused_and_the_rest_is_clamped() {
        assert_eq!(buffer_size(0), Err(NetworkError::InvalidArgument));
        assert_eq!(buffer_size(1), Ok(SMALLEST_BUFFER));
        assert_eq!(buffer_size(0x10000), Ok(0x10000));
        assert_eq!(buffer_size(u64::MAX), Ok(LARGEST_BUFFER));
        assert_eq!(keep_alive_time(Duration::ZERO), Err(NetworkError::InvalidArgument));
        assert_eq!(keep_alive_time(Duration::from_nanos(1)), Ok(Duration::from_secs(1)));
        assert_eq!(keep_alive_time(Duration::from_secs(42)), Ok(Duration::from_secs(42)));
        assert_eq!(keep_alive_time(Duration::MAX), Ok(LONGEST_KEEP_ALIVE));
        assert_eq!(keep_alive_count(0), Err(NetworkError::InvalidArgument));
        assert_eq!(keep_alive_count(u32::MAX), Ok(127));
        assert_eq!(hop_limit(0), Err(NetworkError::InvalidArgument));
        assert_eq!(hop_limit(255), Ok(255));
        assert_eq!(backlog(0), Err(NetworkError::InvalidArgument));
        assert_eq!(backlog(u64::MAX), Ok(LARGEST_BACKLOG));
    }
}
