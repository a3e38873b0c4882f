//! Any bytes as frames: they are decoded or refused, and what was decoded is encoded to the same bytes.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;

// The file alone: its crate has the engine in it.
#[path = "../../runtime/node/src/podprocess/frame.rs"]
mod frame;

fuzz_target!(|bytes: &[u8]| {
    let mut rest = BytesMut::from(bytes);
    let mut again = BytesMut::new();
    while let Ok(Some(frame)) = frame::decode(&mut rest) {
        frame::encode(&mut again, frame.channel, &frame.payload);
    }
    assert_eq!(again[..], bytes[..bytes.len() - rest.len()]);
});
