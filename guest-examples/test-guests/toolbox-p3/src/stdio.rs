//! Standard input, output and error as streams.

use wasip3::cli::{stderr, stdin, stdout};
use wasip3::wit_stream;

use crate::{Outcome, text};

pub(crate) async fn print(words: &str) -> Outcome {
    print_bytes(words.as_bytes().to_vec()).await
}

pub(crate) async fn print_bytes(bytes: Vec<u8>) -> Outcome {
    let (mut writer, reader) = wit_stream::new();
    let written = stdout::write_via_stream(reader);
    writer.write_all(bytes).await;
    drop(writer);
    written.await.map_err(text)
}

/// To standard error; when that is gone too, there is nobody left to tell.
pub(crate) async fn report(words: &str) {
    let (mut writer, reader) = wit_stream::new();
    let written = stderr::write_via_stream(reader);
    writer.write_all(words.as_bytes().to_vec()).await;
    drop(writer);
    let _ = written.await;
}

/// The input's own stream becomes the output's: the bytes never enter this program.
pub(crate) async fn cat() -> Outcome {
    let (bytes, read) = stdin::read_via_stream();
    stdout::write_via_stream(bytes).await.map_err(text)?;
    read.await.map_err(text)
}
