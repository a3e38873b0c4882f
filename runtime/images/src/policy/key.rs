//! Public keys, as cosign writes them.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::error::PolicyError;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";

/// What stands before the point in a `SubjectPublicKeyInfo` of P-256 (RFC 5480).
pub(super) const P256: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// An uncompressed point: a byte of 4, and two numbers.
const POINT_BYTES: usize = 65;

/// A public key of ECDSA P-256.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    file: PathBuf,
    point: Vec<u8>,
}

impl Key {
    /// Reads the text of `file`.
    pub(super) fn parse(file: &Path, pem: &[u8]) -> Result<Self, PolicyError> {
        let point = std::str::from_utf8(pem).ok().and_then(point);
        match point {
            Some(point) => Ok(Self { file: file.to_owned(), point }),
            None => Err(PolicyError::Key { path: file.to_owned() }),
        }
    }

    /// Whose it is is known by the file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether the signature is of this key.
    pub(super) fn made(&self, signature: &[u8], payload: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.point);
        key.verify(payload, signature).is_ok()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({})", self.file.display())
    }
}

fn point(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(BEGIN)?;
    let (text, _) = rest.split_once(END)?;
    let text: String = text.split_ascii_whitespace().collect();
    let der = STANDARD.decode(text).ok()?;
    let point = der.strip_prefix(&P256[..])?;
    (point.len() == POINT_BYTES && point[0] == 4).then(|| point.to_vec())
}
