//! Names that nothing else has: of a Pod, of a run.

use rustix::rand::{GetRandomFlags, getrandom};
use sha2::{Digest as _, Sha256};

use crate::image::{self, digest::hex};

/// A new Pod `metadata.uid`: a random UUID (version 4), unguessable and unlike any other.
pub fn new_uid() -> String {
    uuid(random())
}

fn uuid(mut bytes: [u8; 16]) -> String {
    // RFC 9562: version 4, variant 10.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// What follows `wasmpod://` in a `containerID`: 64 hexadecimal digits, as other runtimes have them.
pub(super) fn new_run_id() -> String {
    hex(&random::<32>())
}

/// The uid of a Pod on virtual time: that of the same name is the same for the same seed.
pub(super) fn seeded_uid(seed: u64, namespace: &str, name: &str) -> String {
    let bytes = digest(&["uid", &seed.to_string(), namespace, name]);
    uuid(std::array::from_fn(|index| bytes[index]))
}

/// The same for a run of one of its containers.
pub(super) fn seeded_run_id(uid: &str, run: &str) -> String {
    hex(&digest(&["run", uid, run]))
}

fn digest(parts: &[&str]) -> [u8; 32] {
    // No part has a slash in it but the last.
    Sha256::digest(parts.join("/")).into()
}

/// From the kernel itself: a generator in between has to look at the CPU first, which takes longer
/// than all that is drawn here (a virtual machine stops for each look).
fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    // Whole, for so few.
    getrandom(&mut bytes, GetRandomFlags::empty()).expect("every Linux since 3.17 has it");
    bytes
}

/// A number that is the same for the same uid: where this Pod's chance begins.
pub(crate) fn seed(uid: &str) -> u64 {
    image::digest::short(uid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_is_a_uuid_of_version_4() {
        let uid = new_uid();
        let parts: Vec<usize> = uid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{uid}");
        assert_eq!(&uid[14..15], "4");
        assert!("89ab".contains(&uid[19..20]), "{uid}");
        assert_ne!(uid, new_uid());
    }

    #[test]
    fn a_seed_repeats_and_pods_and_runs_differ() {
        let uid = seeded_uid(1, "default", "web");
        assert_eq!(uid, seeded_uid(1, "default", "web"));
        assert_eq!((uid.len(), &uid[14..15]), (36, "4"));
        assert_ne!(uid, seeded_uid(2, "default", "web"));
        assert_ne!(uid, seeded_uid(1, "default", "db"));
        assert_eq!(seeded_run_id(&uid, "web/0"), seeded_run_id(&uid, "web/0"));
        assert_ne!(seeded_run_id(&uid, "web/0"), seeded_run_id(&uid, "web/1"));
    }
}
