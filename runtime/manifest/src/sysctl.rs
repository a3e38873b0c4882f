//! The sysctls that have a meaning here: the limits of a Pod's IPC.
//!
//! A Pod has no kernel of its own, so all others are noted and have no effect. Names are those with dots.
//!
//! Rule: ipc_namespaces(7) for what a Pod has its own of, mq_overview(7), shmget(2) and msgget(2) for what
//! the values may be.

use std::ops::RangeInclusive;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sysctl {
    /// `fs.mqueue.queues_max`
    QueuesMax,
    /// `fs.mqueue.msg_max`
    MessagesMax,
    /// `fs.mqueue.msgsize_max`
    MessageSizeMax,
    /// `fs.mqueue.msg_default`
    MessagesDefault,
    /// `fs.mqueue.msgsize_default`
    MessageSizeDefault,
    /// `kernel.msgmni`
    KeyedQueues,
    /// `kernel.msgmax`
    KeyedMessageSize,
    /// `kernel.msgmnb`
    KeyedQueueSize,
    /// `kernel.shmmni`
    KeyedSegments,
    /// `kernel.shmmax`
    KeyedSegmentSize,
}

const ALL: [(&str, Sysctl, RangeInclusive<u64>); 10] = [
    ("fs.mqueue.queues_max", Sysctl::QueuesMax, 0..=INT),
    ("fs.mqueue.msg_max", Sysctl::MessagesMax, 1..=65_536),
    ("fs.mqueue.msgsize_max", Sysctl::MessageSizeMax, 128..=16_777_216),
    ("fs.mqueue.msg_default", Sysctl::MessagesDefault, 1..=65_536),
    ("fs.mqueue.msgsize_default", Sysctl::MessageSizeDefault, 128..=16_777_216),
    ("kernel.msgmni", Sysctl::KeyedQueues, 0..=32_768),
    ("kernel.msgmax", Sysctl::KeyedMessageSize, 0..=INT),
    ("kernel.msgmnb", Sysctl::KeyedQueueSize, 0..=INT),
    ("kernel.shmmni", Sysctl::KeyedSegments, 0..=32_768),
    ("kernel.shmmax", Sysctl::KeyedSegmentSize, 0..=u64::MAX),
];

const INT: u64 = i32::MAX.cast_unsigned() as u64;

/// The names, for the table of fields.
pub(crate) const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut index = 0;
    while index < ALL.len() {
        names[index] = ALL[index].0;
        index += 1;
    }
    names
};

/// A value that a sysctl cannot have: what it could be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfRange(pub RangeInclusive<u64>);

/// The sysctl of that name with its value; `None` for one that has no meaning here.
pub fn read(name: &str, value: &str) -> Option<(Sysctl, Result<u64, OutOfRange>)> {
    let (_, sysctl, range) = ALL.iter().find(|(known, ..)| *known == name)?;
    let number = value.trim().parse().ok().filter(|number| range.contains(number));
    Some((*sysctl, number.ok_or_else(|| OutOfRange(range.clone()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_kernel() {
        let value = |name, value| read(name, value).map(|(_, value)| value.ok());
        assert_eq!(value("fs.mqueue.msg_max", "100"), Some(Some(100)));
        assert_eq!(value("fs.mqueue.msg_max", " 65536\n"), Some(Some(65_536)));
        for bad in ["0", "65537", "-1", "", "ten", "1e3", "99999999999999999999"] {
            assert_eq!(value("fs.mqueue.msg_max", bad), Some(None), "{bad:?}");
        }
        assert_eq!(value("kernel.shmmax", "18446744073709551615"), Some(Some(u64::MAX)));
        assert_eq!(value("fs/mqueue/msg_max", "1"), None);
        assert_eq!(value("net.core.somaxconn", "1"), None);
    }
}
