//! Any bytes: they load, or are refused with at least one problem.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wasmpod_manifest::{Source, load};

fuzz_target!(|bytes: &[u8]| {
    let source = Source { name: "fuzz.yaml".to_owned(), bytes: bytes.to_vec() };
    match load(&[source]) {
        Ok(manifest) => {
            manifest.pods.iter().for_each(|pod| loads_again(&pod.pod));
            manifest.services.iter().for_each(loads_again);
        }
        Err(errors) => assert!(!errors.to_string().is_empty(), "refused without a word"),
    }
});

/// What is valid stays valid when it is written out with its defaults.
fn loads_again(object: &impl serde::Serialize) {
    let bytes = serde_json::to_vec(object).expect("an object is JSON");
    let source = Source { name: "again.json".to_owned(), bytes };
    if let Err(errors) = load(&[source]) {
        panic!("valid once, then not: {errors}");
    }
}
