//! Which images go when the disk fills up.
//!
//! Pure: what is there and how full the disk is come in.
//!
//! Rule: the kubelet's image collection (`pkg/kubelet/images/image_gc_manager.go`): at
//! `imageGCHighThresholdPercent` the least recently used go until `imageGCLowThresholdPercent` is
//! reached; none younger than `imageMinimumGCAge`; what was unused for `imageMaximumGCAge` goes
//! anyway.

use std::time::{Duration, SystemTime};

use crate::digest::Digest;

/// When images go; the defaults are the kubelet's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// How full in percent the disk may get before anything goes.
    pub high_percent: u8,
    /// How full in percent it should be then.
    pub low_percent: u8,
    /// No image goes before it has been here for so long.
    pub min_age: Duration,
    /// What was unused for so long goes on any disk.
    pub max_age: Option<Duration>,
}

impl Default for Thresholds {
    fn default() -> Self {
        let min_age = Duration::from_secs(2 * 60);
        Self { high_percent: 85, low_percent: 80, min_age, max_age: None }
    }
}

/// The disk that the layout is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes in all.
    pub capacity: u64,
    /// Bytes that are free to us.
    pub available: u64,
}

/// An image that could go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its manifest.
    pub digest: Digest,
    /// Bytes that it holds.
    pub size: u64,
    /// Since when it is here.
    pub since: SystemTime,
    /// When it was used last.
    pub last_used: SystemTime,
    /// Whether a Pod uses it now.
    pub in_use: bool,
}

/// What should go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// Their manifests, in the order in which they should go.
    pub remove: Vec<Digest>,
    /// Bytes that the thresholds want to be freed.
    pub wanted: u64,
    /// Bytes that those which go hold; less than wanted if too much is in use or young.
    pub found: u64,
}

/// Decides which images go.
pub fn images_to_remove(
    mut candidates: Vec<Candidate>,
    disk: Disk,
    thresholds: Thresholds,
    now: SystemTime,
) -> Decision {
    let age = |since: SystemTime| now.duration_since(since).unwrap_or_default();
    candidates.retain(|image| !image.in_use);
    candidates.sort_by_key(|image| (image.last_used, image.since));
    let mut decision = Decision { wanted: bytes_to_free(disk, thresholds), ..Decision::default() };
    for image in candidates {
        let is_stale = thresholds.max_age.is_some_and(|limit| age(image.last_used) > limit);
        let is_wanted = decision.found < decision.wanted && age(image.since) >= thresholds.min_age;
        if is_stale || is_wanted {
            decision.found = decision.found.saturating_add(image.size);
            decision.remove.push(image.digest);
        }
    }
    decision
}

fn bytes_to_free(disk: Disk, thresholds: Thresholds) -> u64 {
    let percent_of = |part: u64| u128::from(part) * 100;
    let capacity = u128::from(disk.capacity);
    if capacity == 0 {
        return 0;
    }
    let used_percent = 100_u128.saturating_sub(percent_of(disk.available) / capacity);
    if used_percent < u128::from(thresholds.high_percent) {
        return 0;
    }
    let free_percent = 100_u128.saturating_sub(u128::from(thresholds.low_percent));
    let wanted_free = capacity * free_percent / 100;
    u64::try_from(wanted_free).unwrap_or(u64::MAX).saturating_sub(disk.available)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn image(name: &str, size: u64, last_used: u64) -> Candidate {
        let digest = Digest::sha256(name.as_bytes());
        Candidate { digest, size, since: at(0), last_used: at(last_used), in_use: false }
    }

    fn removed(candidates: &[Candidate], available: u64, thresholds: Thresholds) -> String {
        let disk = Disk { capacity: 100, available };
        let decision = images_to_remove(candidates.to_vec(), disk, thresholds, at(10_000));
        let names = ["old", "used", "young", "new"];
        let name = |digest: &Digest| {
            names.into_iter().find(|name| Digest::sha256(name.as_bytes()) == *digest).unwrap()
        };
        let gone: Vec<&str> = decision.remove.iter().map(name).collect();
        format!("{} of {}: {}", decision.found, decision.wanted, gone.join(" "))
    }

    #[test]
    fn the_least_recently_used_go_until_the_low_threshold() {
        let images = [
            image("new", 10, 9_000),
            Candidate { in_use: true, ..image("used", 50, 10) },
            Candidate { since: at(9_990), ..image("young", 50, 20) },
            image("old", 3, 100),
        ];
        let thresholds = Thresholds::default();
        assert_eq!(removed(&images, 16, thresholds), "0 of 0: ");
        assert_eq!(removed(&images, 15, thresholds), "13 of 5: old new");
        assert_eq!(
            removed(&images, 17, Thresholds { low_percent: 80, high_percent: 83, ..thresholds }),
            "3 of 3: old"
        );
        assert_eq!(removed(&images, 0, thresholds), "13 of 20: old new");
        let stale = Thresholds { max_age: Some(Duration::from_secs(5_000)), ..thresholds };
        assert_eq!(removed(&images, 90, stale), "53 of 0: young old");
    }

    proptest! {
        #[test]
        fn nothing_in_use_ever_goes(
            sizes in prop::collection::vec((any::<u64>(), any::<bool>()), 0..20),
            capacity: u64, available: u64, high_percent: u8, low_percent: u8,
        ) {
            let images: Vec<Candidate> = sizes.iter().enumerate().map(|(number, (size, in_use))| {
                Candidate { in_use: *in_use, ..image(&number.to_string(), *size, number as u64) }
            }).collect();
            let thresholds = Thresholds { high_percent, low_percent, ..Thresholds::default() };
            let decision =
                images_to_remove(images.clone(), Disk { capacity, available }, thresholds, at(10_000));
            for image in images.iter().filter(|image| image.in_use) {
                prop_assert!(!decision.remove.contains(&image.digest));
            }
        }
    }
}
