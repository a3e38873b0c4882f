//! Digests: how they are written, and a short one for names.

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// FNV-1a, which is the same in every version, unlike the standard library's hasher. For what nobody
/// gains by making two texts meet.
pub(crate) fn short(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_others() {
        assert_eq!(hex(&[0x00, 0x1f, 0xa0, 0xff]), "001fa0ff");
        // From the table of the FNV authors.
        assert_eq!(short(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(short("foobar"), 0x8594_4171_f739_67e8);
    }
}
