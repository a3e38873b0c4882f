//! How much of it a Pod may have. Pure.
//!
//! | limit | default | is set by |
//! |---|---|---|
//! | queues | 256 | sysctl `fs.mqueue.queues_max` |
//! | messages that a queue may be made for | 10 | sysctl `fs.mqueue.msg_max` |
//! | bytes of a message that a queue may be made for | 8192 | sysctl `fs.mqueue.msgsize_max` |
//! | what a queue has whose maker does not say | 10, 8192 | sysctls `fs.mqueue.msg_default`, `msgsize_default` |
//! | queues with keys | 32000 | sysctl `kernel.msgmni` |
//! | bytes of a message of theirs, of all messages in one | 8192, 16384 | sysctls `kernel.msgmax`, `kernel.msgmnb` |
//! | segments with keys, bytes of one | 4096, no limit of its own | sysctls `kernel.shmmni`, `kernel.shmmax` |
//! | bytes of all segments and of `/dev/shm` | 64 MiB | annotation `wasmpod.dev/shm-size` |
//!
//! Rule: the defaults of Linux, and for `/dev/shm` those of container runtimes.

use k8s_openapi::api::core::v1::Pod;

use crate::manifest::annotation::{SHM_SIZE, shm_size};
use crate::manifest::sysctl::{Sysctl, read};

/// The limits of one Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpcLimits {
    /// Queues that are there at once, those included whose name is gone.
    pub queues: usize,
    /// Messages that a queue may hold, at most.
    pub messages: usize,
    /// Bytes of one message, at most.
    pub message_bytes: usize,
    /// Messages of a queue whose maker does not say.
    pub default_messages: usize,
    /// Bytes of a message of such a queue.
    pub default_message_bytes: usize,
    /// Queues with keys.
    pub keyed_queues: usize,
    /// Bytes of one message of a queue with a key.
    pub keyed_message_bytes: usize,
    /// Bytes of all messages of such a queue.
    pub keyed_queue_bytes: usize,
    /// Segments with keys.
    pub keyed_segments: usize,
    /// Bytes of one of them.
    pub keyed_segment_bytes: u64,
    /// Bytes of `/dev/shm` and of all segments.
    pub shared_bytes: u64,
}

impl Default for IpcLimits {
    fn default() -> Self {
        Self {
            queues: 256,
            messages: 10,
            message_bytes: 8192,
            default_messages: 10,
            default_message_bytes: 8192,
            keyed_queues: 32_000,
            keyed_message_bytes: 8192,
            keyed_queue_bytes: 16_384,
            keyed_segments: 4096,
            keyed_segment_bytes: u64::MAX,
            shared_bytes: 64 << 20,
        }
    }
}

impl IpcLimits {
    /// Those of `pod`, whose sysctls and annotations were validated: what is no number is passed over.
    pub fn of(pod: &Pod) -> Self {
        let mut limits = Self::default();
        let annotations = pod.metadata.annotations.as_ref();
        let size = annotations.and_then(|annotations| annotations.get(&SHM_SIZE.whole_name()));
        if let Some(bytes) = size.and_then(|text| shm_size(text.trim())) {
            limits.shared_bytes = bytes;
        }
        let context = pod.spec.as_ref().and_then(|spec| spec.security_context.as_ref());
        for sysctl in context.and_then(|context| context.sysctls.as_ref()).into_iter().flatten() {
            if let Some((sysctl, Ok(value))) = read(&sysctl.name, &sysctl.value) {
                limits.set(sysctl, value);
            }
        }
        limits
    }

    fn set(&mut self, sysctl: Sysctl, value: u64) {
        let count = usize::try_from(value).unwrap_or(usize::MAX);
        match sysctl {
            Sysctl::QueuesMax => self.queues = count,
            Sysctl::MessagesMax => self.messages = count,
            Sysctl::MessageSizeMax => self.message_bytes = count,
            Sysctl::MessagesDefault => self.default_messages = count,
            Sysctl::MessageSizeDefault => self.default_message_bytes = count,
            Sysctl::KeyedQueues => self.keyed_queues = count,
            Sysctl::KeyedMessageSize => self.keyed_message_bytes = count,
            Sysctl::KeyedQueueSize => self.keyed_queue_bytes = count,
            Sysctl::KeyedSegments => self.keyed_segments = count,
            Sysctl::KeyedSegmentSize => self.keyed_segment_bytes = value,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn sysctls_and_the_annotation_set_them() {
        let pod = json!({
            "metadata": { "annotations": { "wasmpod.dev/shm-size": " 1Mi" } },
            "spec": { "containers": [], "securityContext": { "sysctls": [
                { "name": "fs.mqueue.msg_max", "value": "100" },
                { "name": "fs.mqueue.queues_max", "value": "3" },
                { "name": "kernel.msgmnb", "value": "65536" },
                { "name": "kernel.shmmax", "value": "18446744073692774399" },
                { "name": "net.core.somaxconn", "value": "1" },
            ] } },
        });
        let limits = IpcLimits::of(&serde_json::from_value(pod).unwrap());
        let expected = IpcLimits {
            queues: 3,
            messages: 100,
            keyed_queue_bytes: 65_536,
            keyed_segment_bytes: 18_446_744_073_692_774_399,
            shared_bytes: 1 << 20,
            ..IpcLimits::default()
        };
        assert_eq!(limits, expected);
        assert_eq!(IpcLimits::of(&Pod::default()), IpcLimits::default());
    }
}
