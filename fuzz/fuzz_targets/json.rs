//! Any bytes behind a brace: the JSON reader comes first.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmpod_manifest::{Source, load};

fuzz_target!(|bytes: &[u8]| {
    let bytes = [b"{", bytes].concat();
    let source = Source { name: "fuzz.json".to_owned(), bytes };
    if let Err(errors) = load(&[source]) {
        assert!(!errors.to_string().is_empty(), "refused without a word");
    }
});
