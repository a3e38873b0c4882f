//! The entries of a tar archive, one after the other.
//!
//! Headers are those of the crate `tar`. Its own reader takes a name of any length into memory, and an
//! layer may come from anybody: here what describes an entry has a bound, of one entry and of all the
//! headers before it. Files with holes in GNU's formats are refused: their content is not what it looks
//! like, and builders of images write none.
//!
//! Rule: the `ustar` and `pax` formats of POSIX, and GNU's long names.

use std::io::{self, Read};

use tar::{EntryType, Header, PaxExtensions};

use crate::shown::shown;

const BLOCK: usize = 512;

/// The longest description of an entry: a path and what a link points to.
const LONGEST_DESCRIPTION: u64 = 64 << 10;

/// The most headers that describe one entry.
const MOST_DESCRIPTIONS: u32 = 16;

/// Reads an archive from `input`.
pub(crate) struct Archive<Input> {
    input: Input,
    /// Of the present entry's content, what is not read yet.
    content: u64,
    /// What fills its last block.
    padding: u64,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// Points to this.
    Link(Vec<u8>),
    /// Is another name of this.
    HardLink(Vec<u8>),
    /// What it is instead, and no image needs.
    Device(&'static str),
}

/// An entry without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    pub(crate) mode: u32,
    pub(crate) modified: Modified,
}

/// A time since 1970; one before that counts as 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Modified {
    pub(crate) seconds: u64,
    pub(crate) nanoseconds: u32,
}

/// What entries before one say about it.
#[derive(Default)]
struct Described {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<Modified>,
}

impl<Input: Read> Archive<Input> {
    pub(crate) fn new(input: Input) -> Self {
        Self { input, content: 0, padding: 0 }
    }

    /// What comes behind the archive.
    pub(crate) fn into_inner(self) -> Input {
        self.input
    }

    /// The next entry, whatever of the content of the one before was read; none at the end.
    ///
    /// # Errors
    /// It is no archive, or breaks off.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut described = Described::default();
        for _ in 0..MOST_DESCRIPTIONS {
            self.skip()?;
            let Some(block) = self.block()? else { return Ok(None) };
            if block.iter().all(|byte| *byte == 0) {
                return Ok(None);
            }
            let header = Header::from_byte_slice(&block);
            check(header, &block)?;
            let size = size(header)?;
            match header.entry_type() {
                EntryType::GNULongName => described.path = Some(self.name(size)?),
                EntryType::GNULongLink => described.link = Some(self.name(size)?),
                EntryType::XHeader => described.read_pax(&self.description(size)?)?,
                // Of the archive as a whole: nothing that matters here.
                EntryType::XGlobalHeader => self.begin(size)?,
                kind => return self.entry(header, kind, described).map(Some),
            }
        }
        Err(broken(format!("more than {MOST_DESCRIPTIONS} headers that describe one entry")))
    }

    fn entry(
        &mut self,
        header: &Header,
        kind: EntryType,
        described: Described,
    ) -> io::Result<Entry> {
        let path = described.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let link = || {
            let own = header.link_name_bytes().map(|name| name.into_owned());
            described.link.clone().or(own).unwrap_or_default()
        };
        let kind = match kind {
            // As in old archives: a folder is a file whose name ends so.
            EntryType::Regular if path.ends_with(b"/") => Kind::Folder,
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Directory => Kind::Folder,
            EntryType::Symlink => Kind::Link(link()),
            EntryType::Link => Kind::HardLink(link()),
            EntryType::Char => Kind::Device("a character device"),
            EntryType::Block => Kind::Device("a block device"),
            EntryType::Fifo => Kind::Device("a FIFO"),
            EntryType::GNUSparse => return Err(sparse(&path)),
            _ => {
                let path = shown(&path);
                return Err(broken(format!("entry {path} is of a kind that is not known here")));
            }
        };
        let size = match kind {
            Kind::File | Kind::Device(_) => described.size.map_or_else(|| size(header), Ok)?,
            // Whatever it says, nothing follows.
            Kind::Folder | Kind::Link(_) | Kind::HardLink(_) => 0,
        };
        self.begin(size)?;
        // One from before 1970 is written in many ways.
        let seconds = || header.mtime().unwrap_or_default();
        let modified =
            described.modified.unwrap_or_else(|| Modified { seconds: seconds(), nanoseconds: 0 });
        Ok(Entry {
            path,
            kind,
            size,
            // Whose files these are, no archive says: without setuid, setgid and the sticky bit.
            mode: header.mode().unwrap_or(0o644) & 0o777,
            modified,
        })
    }

    /// The content that comes now has `size` bytes.
    fn begin(&mut self, size: u64) -> io::Result<()> {
        let block = BLOCK as u64;
        if size > i64::MAX.unsigned_abs() {
            return Err(broken(format!("an entry of {size} bytes")));
        }
        self.content = size;
        self.padding = size.next_multiple_of(block) - size;
        Ok(())
    }

    /// The content of an entry that describes the next one.
    fn description(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > LONGEST_DESCRIPTION {
            return Err(broken(format!(
                "a name of {size} bytes; the most is {LONGEST_DESCRIPTION}"
            )));
        }
        self.begin(size)?;
        let mut content = Vec::new();
        self.read_to_end(&mut content)?;
        Ok(content)
    }

    fn name(&mut self, size: u64) -> io::Result<Vec<u8>> {
        let mut name = self.description(size)?;
        if let Some(end) = memchr::memchr(0, &name) {
            name.truncate(end);
        }
        Ok(name)
    }

    /// Passes over what is left of the present entry.
    fn skip(&mut self) -> io::Result<()> {
        let left = self.content + self.padding;
        let passed = io::copy(&mut (&mut self.input).take(left), &mut io::sink())?;
        if passed < left {
            return Err(broken_off());
        }
        (self.content, self.padding) = (0, 0);
        Ok(())
    }

    /// The next block; none if the input has ended.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.input.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(broken_off()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(block))
    }
}

/// The content of the present entry.
impl<Input: Read> Read for Archive<Input> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.content).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.input.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(broken_off());
        }
        self.content -= read as u64;
        Ok(read)
    }
}

impl Described {
    fn read_pax(&mut self, records: &[u8]) -> io::Result<()> {
        for record in PaxExtensions::new(records) {
            let record = record?;
            let value = record.value_bytes();
            match record.key_bytes() {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = Some(number(value).ok_or_else(|| broken("a size"))?),
                b"mtime" => self.modified = Some(time(value)),
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(sparse(self.path.as_deref().unwrap_or_default()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Some builders leave the size of a folder out.
fn size(header: &Header) -> io::Result<u64> {
    let blank = header.as_old().size.iter().all(|byte| matches!(byte, 0 | b' '));
    if blank { Ok(0) } else { header.entry_size() }
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A decimal fraction of seconds, of which nine digits count.
fn time(text: &[u8]) -> Modified {
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(point) => (&text[..point], &text[point + 1..]),
        None => (text, &b""[..]),
    };
    let Some(seconds) = number(whole) else { return Modified::default() };
    let digits = fraction.iter().chain([b'0'; 9].iter()).take(9);
    let nanoseconds =
        digits.fold(0, |sum, digit| sum * 10 + u32::from(digit.wrapping_sub(b'0') % 10));
    Modified { seconds, nanoseconds }
}

/// Rule: the sum of all bytes of a header, its own field counted as spaces.
fn check(header: &Header, block: &[u8; BLOCK]) -> io::Result<()> {
    const FIELD: std::ops::Range<usize> = 148..156;
    let own: u32 = block[FIELD].iter().map(|byte| u32::from(*byte)).sum();
    let all: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = all - own + 8 * u32::from(b' ');
    match header.cksum() {
        Ok(told) if told == sum => Ok(()),
        Ok(_) | Err(_) => Err(broken("a header whose sum is wrong")),
    }
}

fn sparse(path: &[u8]) -> io::Error {
    broken(format!("entry {} is a file with holes in GNU's own format", shown(path)))
}

fn broken(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

fn broken_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it breaks off")
}
