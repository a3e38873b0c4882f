//! Digests: what content is called.
//!
//! Decided here: which algorithms are known (those that the OCI specifications register) and how
//! they are computed. Rule: OCI image specification, `descriptor.md`, "Digests".

use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

use oci_spec::image::Descriptor;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use crate::shown::shown;

/// How much of a file is hashed at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// How content is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// What all the world uses.
    Sha256,
    /// Allowed in references, seldom seen.
    Sha384,
    /// Registered beside sha256.
    Sha512,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// As it is written before the colon; also a folder's name in a layout.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn hex_length(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

/// A digest of a known algorithm: `sha256:` and 64 lower-case hexadecimal digits. Nothing of it can
/// lead out of a folder, so it is used in file names as it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    algorithm: Algorithm,
    hex: String,
}

/// It is not written as a digest is, or is of an unknown algorithm.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a digest")]
pub struct InvalidDigest(String);

impl Digest {
    /// The sha256 of these bytes.
    pub fn sha256(bytes: &[u8]) -> Self {
        Self { algorithm: Algorithm::Sha256, hex: hex(&Sha256::digest(bytes)) }
    }

    /// The digest of these bytes by the algorithm of this one.
    pub fn of_same_kind(&self, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(self.algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// What a descriptor names.
    ///
    /// # Errors
    /// [`InvalidDigest`] when it is of an algorithm that is not known here.
    pub fn of(descriptor: &Descriptor) -> Result<Self, InvalidDigest> {
        descriptor.digest().to_string().parse()
    }

    /// How it is computed.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// What stands behind the colon.
    pub fn hex(&self) -> &str {
        &self.hex
    }

    /// The type that `oci-spec` has for it.
    pub fn to_oci(&self) -> oci_spec::image::Digest {
        self.to_string().parse().expect("checked: the algorithm and its count of digits")
    }
}

impl FromStr for Digest {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let invalid = || InvalidDigest(shown(text));
        let (name, hex) = text.split_once(':').ok_or_else(invalid)?;
        let known = Algorithm::ALL.into_iter().find(|known| known.as_str() == name);
        let algorithm = known.ok_or_else(invalid)?;
        let valid = hex.len() == algorithm.hex_length()
            && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if valid { Ok(Self { algorithm, hex: hex.to_owned() }) } else { Err(invalid()) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.as_str(), self.hex)
    }
}

impl Serialize for Digest {
    fn serialize<Out: Serializer>(&self, serializer: Out) -> Result<Out::Ok, Out::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<In: Deserializer<'de>>(deserializer: In) -> Result<Self, In::Error> {
        String::deserialize(deserializer)?.parse().map_err(In::Error::custom)
    }
}

/// A digest in the making.
#[derive(Clone, Debug)]
pub struct Hasher(State);

#[derive(Clone, Debug)]
enum State {
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    /// Of nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha384 => State::Sha384(Sha384::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Goes on with these bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha384(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Goes on with all of `reader`; answers how many bytes that were.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn update_from(&mut self, mut reader: impl Read) -> io::Result<u64> {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut total = 0;
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(total),
                Ok(length) => {
                    self.update(&chunk[..length]);
                    total += length as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of all that came.
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Sha256(hasher) => {
                Digest { algorithm: Algorithm::Sha256, hex: hex(&hasher.finalize()) }
            }
            State::Sha384(hasher) => {
                Digest { algorithm: Algorithm::Sha384, hex: hex(&hasher.finalize()) }
            }
            State::Sha512(hasher) => {
                Digest { algorithm: Algorithm::Sha512, hex: hex(&hasher.finalize()) }
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_others() {
        // `printf '' | sha256sum`, and so on.
        let table = [
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha384:38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
            "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
        ];
        for text in table {
            let digest: Digest = text.parse().unwrap();
            assert_eq!(digest.of_same_kind(b""), digest);
            assert_eq!(digest.to_string(), text);
            assert_eq!(digest.to_oci().to_string(), text);
        }
    }

    #[test]
    fn what_could_lead_out_of_a_folder_is_no_digest() {
        let long = format!("sha256:{}", "A".repeat(64));
        for text in ["", "sha256:", "sha256:../../etc/passwd", "md5:00", "sha256", &long] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_no_digest_is_quoted_in_part() {
        let error = format!("blake3:{}", "A".repeat(1 << 20)).parse::<Digest>().unwrap_err();
        let expected = format!("\"blake3:{}…\" is not a digest", "A".repeat(193));
        assert_eq!(error.to_string(), expected);
    }

    proptest::proptest! {
        #[test]
        fn in_any_pieces_it_is_the_same(pieces: Vec<Vec<u8>>) {
            let mut hasher = Hasher::new(Algorithm::Sha256);
            for piece in &pieces {
                hasher.update(piece);
            }
            assert_eq!(hasher.finish(), Digest::sha256(&pieces.concat()));
        }
    }
}
