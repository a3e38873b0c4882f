//! Any bytes as a tar archive: its entries are read or refused, and none is longer than what came.

#![no_main]

use std::io::Read as _;

use libfuzzer_sys::fuzz_target;

// The file alone: its crate has the engine in it.
#[path = "../../runtime/core/src/sandbox/filesystem/archive/read.rs"]
mod read;

const PERMISSIONS: u32 = 0o777;

fuzz_target!(|bytes: &[u8]| {
    let mut archive = read::Archive::new(bytes);
    let mut content = 0;
    while let Ok(Some(entry)) = archive.next() {
        assert!(entry.mode <= PERMISSIONS);
        let mut read = Vec::new();
        if archive.read_to_end(&mut read).is_err() {
            return;
        }
        assert_eq!(read.len() as u64, entry.size);
        content += read.len();
    }
    assert!(content <= bytes.len());
});
