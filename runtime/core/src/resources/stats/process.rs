//! What the host's kernel says of this process.

use rustix::time::{ClockId, clock_gettime};

use super::values::ProcessStats;

impl ProcessStats {
    /// Of this process, now; what cannot be found out is zero.
    pub fn of_this_process() -> Self {
        let text = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let seconds = u64::try_from(cpu.tv_sec).unwrap_or(0);
        let io = text("/proc/self/io");
        Self {
            pid: std::process::id(),
            usage_core_nano_seconds: seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(u64::try_from(cpu.tv_nsec).unwrap_or(0)),
            rss_bytes: resident_bytes(&text("/proc/self/statm"), rustix::param::page_size()),
            read_bytes: field(&io, "rchar"),
            written_bytes: field(&io, "wchar"),
        }
    }
}

/// The second figure of `statm` is the resident set, in pages.
fn resident_bytes(statm: &str, page: usize) -> u64 {
    let pages = statm.split_ascii_whitespace().nth(1).and_then(|pages| pages.parse().ok());
    pages.unwrap_or(0u64).saturating_mul(u64::try_from(page).unwrap_or(0))
}

fn field(text: &str, name: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let found = lines.find(|(key, _)| *key == name);
    found.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_kernel_are_read() {
        assert_eq!(resident_bytes("5000 250 100 1 0 9 0\n", 4096), 250 * 4096);
        assert_eq!(resident_bytes("", 4096), 0);
        let io = "rchar: 12\nwchar: 34\nsyscr: 5\n";
        assert_eq!((field(io, "rchar"), field(io, "wchar"), field(io, "none")), (12, 34, 0));
    }

    #[test]
    fn this_process_uses_something() {
        let stats = ProcessStats::of_this_process();
        assert_eq!(stats.pid, std::process::id());
        assert!(stats.usage_core_nano_seconds > 0 && stats.rss_bytes > 100_000, "{stats:?}");
    }
}
