//! `generateName`: a name that nobody wrote, for whatever object.
//!
//! Rule: five characters behind the prefix, as the API server appends them; a prefix that is too
//! long for a label of DNS loses its end. They are not random but follow from the place in the
//! manifest: the same file names the same object in each run.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::gathered::Gathered;
use super::object::Here;

/// Vowels and look-alikes are left out, so that no words come about.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

const RANDOM: usize = 5;

/// The longest prefix that still leaves room in the 63 characters of a label.
const MOST_PREFIX: usize = 63 - RANDOM;

/// Names an object that has a `generateName` and no name.
pub(super) fn fill(metadata: &mut ObjectMeta, here: &Here, gathered: &Gathered) {
    if metadata.name.as_deref().is_some_and(|name| !name.is_empty()) {
        return;
    }
    let Some(prefix) = metadata.generate_name.as_deref().filter(|prefix| !prefix.is_empty()) else {
        return;
    };
    let place = format!("{}:{}:{}:{}", gathered.source, here.at.line, here.at.column, here.prefix);
    // FNV-1a.
    let mut hash = place.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut name: String = prefix.chars().take(MOST_PREFIX).collect();
    for _ in 0..RANDOM {
        let length = ALPHABET.len() as u64;
        let index = usize::try_from(hash % length).expect("below the alphabet's length");
        name.push(char::from(ALPHABET[index]));
        hash /= length;
    }
    metadata.name = Some(name);
}
