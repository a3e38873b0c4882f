//! A pseudo-terminal: its two ends, its size, its settings.

use std::ffi::c_void;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, FromRawFd as _, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use rustix::fs::OFlags;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, Setter, ioctl, opcode};
use rustix::termios::{
    self, InputModes, OptionalActions, SpecialCodeIndex, Termios, Winsize, tcgetattr, tcsetattr,
};

/// Which makes a new pair each time that it is opened.
const MASTERS: &str = "/dev/ptmx";

/// `TIOCSPTLCK`: whether the other end may be opened.
const LOCK: Opcode = opcode::write::<i32>(b'T', 0x31);
/// `TIOCGPTPEER`: opens the other end, wherever `/dev/pts` may be.
const OPEN_PEER: Opcode = opcode::none(b'T', 0x41);

/// How large a terminal is; both are 0 where nobody knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters of a line.
    pub columns: u16,
}

/// The ends of a new pseudo-terminal, neither of which ever waits.
pub(super) struct Pty {
    pub(super) master: OwnedFd,
    pub(super) slave: OwnedFd,
}

impl Pty {
    /// One of this size, with the settings that a login would have.
    ///
    /// # Errors
    /// The system's; it may have no `/dev/ptmx`, or no more of them.
    pub(super) fn open(size: TerminalSize) -> io::Result<Self> {
        let flags = OFlags::NOCTTY | OFlags::NONBLOCK;
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(flags.bits().cast_signed());
        let master: OwnedFd = options.open(MASTERS)?.into();
        let slave = open_peer(&master, flags | OFlags::RDWR | OFlags::CLOEXEC)?;
        resize(&master, size)?;
        let mut settings = tcgetattr(&slave)?;
        settings.input_modes |= InputModes::IUTF8;
        // There are no jobs to stop: the key means itself.
        settings.special_codes[SpecialCodeIndex::VSUSP] = 0;
        tcsetattr(&slave, OptionalActions::Now, &settings)?;
        Ok(Self { master, slave })
    }
}

/// Opens the other end.
fn open_peer(master: &OwnedFd, flags: OFlags) -> io::Result<OwnedFd> {
    #[expect(unsafe_code, reason = "rustix has it in a feature that nothing else here needs")]
    // SAFETY: the number is that of TIOCSPTLCK, which reads one `int` and writes nothing.
    unsafe {
        ioctl(master, Setter::<LOCK, i32>::new(0))?;
    }
    #[expect(unsafe_code, reason = "rustix has it in a feature that nothing else here needs")]
    // SAFETY: `OpenPeer` keeps what it promises, and `master` is a master.
    let peer = unsafe { ioctl(master, OpenPeer(flags)) };
    Ok(peer?)
}

struct OpenPeer(OFlags);

#[expect(unsafe_code, reason = "rustix has it in a feature that nothing else here needs")]
// SAFETY: TIOCGPTPEER takes flags by value, touches no memory and gives a descriptor that is new and
// nobody else's.
unsafe impl Ioctl for OpenPeer {
    type Output = OwnedFd;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        OPEN_PEER
    }

    fn as_ptr(&mut self) -> *mut c_void {
        let flags = usize::try_from(self.0.bits()).expect("32 bits fit an address");
        std::ptr::without_provenance_mut(flags)
    }

    unsafe fn output_from_ptr(answer: IoctlOutput, _: *mut c_void) -> rustix::io::Result<OwnedFd> {
        // SAFETY: the answer of a call that has not failed is the new descriptor.
        Ok(unsafe { OwnedFd::from_raw_fd(answer) })
    }
}

pub(super) fn resize(end: impl AsFd, size: TerminalSize) -> io::Result<()> {
    let TerminalSize { rows, columns } = size;
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(termios::tcsetwinsize(end, size)?)
}

pub(super) fn size(end: impl AsFd) -> TerminalSize {
    match termios::tcgetwinsize(end) {
        Ok(size) => TerminalSize { rows: size.ws_row, columns: size.ws_col },
        Err(_) => TerminalSize::default(),
    }
}

/// Has bytes come as they are typed, and go as they are written, as `cfmakeraw` does; or by `cooked`
/// again.
pub(super) fn set_raw(end: impl AsFd, cooked: &Termios, raw: bool) -> io::Result<()> {
    let mut settings = cooked.clone();
    if raw {
        settings.make_raw();
    }
    Ok(tcsetattr(end, OptionalActions::Now, &settings)?)
}
