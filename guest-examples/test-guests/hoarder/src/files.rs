//! Files, and what is under way to and from them.

use std::fs::{self, File};
use std::process::ExitCode;

use wasip2::filesystem::preopens::get_directories;
use wasip2::filesystem::types::{Descriptor, DescriptorFlags, OpenFlags, PathFlags};

use crate::{Hoard, keep};

const BLOCK: usize = 64 << 10;

pub(crate) fn open(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let hoard = Hoard::of(most, &mut kept, |number| File::create(format!("/tmp/{number}")));
    keep(kept, hoard)
}

/// The root, and a file in it.
fn file() -> (Descriptor, Descriptor) {
    fs::write("/tmp/large", vec![7; 1 << 20]).expect("a file of its own");
    let directories = get_directories();
    let root = directories.into_iter().find(|(_, path)| path == "/").expect("a root").0;
    let flags = DescriptorFlags::READ | DescriptorFlags::WRITE;
    let file = root.open_at(PathFlags::empty(), "tmp/large", OpenFlags::empty(), flags);
    (root, file.expect("it was written"))
}

pub(crate) fn reads(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let (root, file) = file();
    let hoard = Hoard::of(most, &mut kept, |_| {
        let stream = file.read_via_stream(0).map_err(|error| error.to_string())?;
        stream.read(64 << 10).map_err(|error| error.to_string())?;
        let pollable = stream.subscribe();
        pollable.block();
        drop(pollable);
        Ok::<_, String>(stream)
    });
    keep((root, file, kept), hoard)
}

pub(crate) fn writes(most: usize) -> ExitCode {
    let mut kept = Vec::new();
    let (root, file) = file();
    let block = vec![7; BLOCK];
    let hoard = Hoard::of(most, &mut kept, |_| {
        let stream = file.write_via_stream(0).map_err(|error| error.to_string())?;
        let permit = stream.check_write().map_err(|error| error.to_string())?;
        let length = usize::try_from(permit).unwrap_or(BLOCK).min(BLOCK);
        stream.write(&block[..length]).map_err(|error| error.to_string())?;
        Ok::<_, String>(stream)
    });
    keep((root, file, kept), hoard)
}
