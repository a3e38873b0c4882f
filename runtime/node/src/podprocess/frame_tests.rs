//! Any frames, cut anywhere.

use bytes::BytesMut;
use proptest::prelude::*;

use super::frame::{Channel, FrameError, HEAD, LONGEST, decode, encode, head};

fn channel() -> impl Strategy<Value = Channel> {
    use Channel::{Close, Resize, Status, Stderr, Stdin, Stdout};
    prop::sample::select(vec![Stdin, Stdout, Stderr, Status, Resize, Close])
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded_however_it_is_cut(
        frames in prop::collection::vec((channel(), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
        cuts in prop::collection::vec(1_usize..64, 1..200),
    ) {
        let mut wire = BytesMut::new();
        for (channel, payload) in &frames {
            encode(&mut wire, *channel, payload);
        }
        let (mut come, mut decoded) = (BytesMut::new(), Vec::new());
        let mut cuts = cuts.into_iter().cycle();
        while !wire.is_empty() {
            let cut = cuts.next().unwrap_or(1).min(wire.len());
            come.extend_from_slice(&wire.split_to(cut));
            while let Some(frame) = decode(&mut come).unwrap() {
                decoded.push((frame.channel, frame.payload.to_vec()));
            }
        }
        prop_assert_eq!(decoded, frames);
        prop_assert!(come.is_empty());
    }

    #[test]
    fn any_bytes_are_frames_or_refused(bytes: Vec<u8>) {
        let mut rest = BytesMut::from(&bytes[..]);
        let mut read = 0;
        while let Ok(Some(frame)) = decode(&mut rest) {
            read += HEAD + frame.payload.len();
        }
        prop_assert_eq!(read + rest.len(), bytes.len());
    }
}

#[test]
fn a_long_payload_goes_in_several_frames() {
    let mut wire = BytesMut::new();
    encode(&mut wire, Channel::Stdout, &vec![7; LONGEST + 1]);
    let lengths: Vec<usize> = std::iter::from_fn(|| decode(&mut wire).unwrap())
        .map(|frame| frame.payload.len())
        .collect();
    assert_eq!(lengths, [LONGEST, 1]);
}

#[test]
fn nonsense_is_told() {
    let decoded = |bytes: &[u8]| decode(&mut BytesMut::from(bytes));
    assert_eq!(decoded(&[9, 0, 0, 0, 0]).unwrap_err(), FrameError::Channel(9));
    let error = decoded(&[1, 0, 1, 0, 1]).unwrap_err();
    assert_eq!(error.to_string(), "a frame of 65537 bytes; the most is 65536");
    assert_eq!(head(Channel::Close, 1), [255, 0, 0, 0, 1]);
}
