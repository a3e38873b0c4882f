//! The Pod's uid.

use rand::RngExt as _;

/// A new Pod `metadata.uid`: a random UUID (version 4), unguessable and unlike any other.
pub fn new_uid() -> String {
    let mut bytes: [u8; 16] = rand::rng().random();
    // RFC 9562: version 4, variant 10.
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut uid = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            uid.push('-');
        }
        uid.push_str(&format!("{byte:02x}"));
    }
    uid
}

/// A number that is the same for the same uid: where this Pod's chance begins.
pub(crate) fn seed(uid: &str) -> u64 {
    // FNV-1a: stable across versions, unlike the standard library's hasher.
    uid.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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
}
