//! The memory of the caller, as the functions of the interface read and write it.

use wasmtime::{AsContext, AsContextMut, Caller, Extern, Memory};
use wasmtime_wasi::p1::types::Errno;

use crate::guest::state::GuestState;

/// What one call may hand over: a command line with its environment.
const MOST: usize = 1 << 20;

/// The memory that the caller exports.
pub(super) fn exported(caller: &mut Caller<'_, GuestState>) -> Result<Memory, Errno> {
    match caller.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => Err(Errno::Fault),
    }
}

/// The bytes at `offset`.
///
/// # Errors
/// `fault` outside of the memory, `2big` for too many.
pub(super) fn bytes(
    memory: Memory,
    context: impl AsContext,
    offset: i32,
    length: i32,
) -> Result<Vec<u8>, Errno> {
    let (offset, length) = (size(offset)?, size(length)?);
    if length > MOST {
        return Err(Errno::TooBig);
    }
    let end = offset.checked_add(length).ok_or(Errno::Fault)?;
    memory.data(&context).get(offset..end).map(<[u8]>::to_vec).ok_or(Errno::Fault)
}

/// The numbers at `offset`.
///
/// # Errors
/// As [`bytes`].
pub(super) fn numbers(
    memory: Memory,
    context: impl AsContext,
    offset: i32,
    count: i32,
) -> Result<Vec<i32>, Errno> {
    let length = count.checked_mul(4).ok_or(Errno::TooBig)?;
    let bytes = bytes(memory, context, offset, length)?;
    let (numbers, _) = bytes.as_chunks::<4>();
    Ok(numbers.iter().map(|number| i32::from_le_bytes(*number)).collect())
}

/// Writes `bytes` at `offset`.
///
/// # Errors
/// `fault` outside of the memory.
pub(super) fn write(
    memory: Memory,
    context: impl AsContextMut,
    offset: i32,
    bytes: &[u8],
) -> Result<(), Errno> {
    memory.write(context, size(offset)?, bytes).map_err(|_| Errno::Fault)
}

/// Texts, each with a NUL behind it.
///
/// # Errors
/// `ilseq` for what is no UTF-8.
pub(super) fn texts(bytes: Vec<u8>) -> Result<Vec<String>, Errno> {
    let text = String::from_utf8(bytes).map_err(|_| Errno::Ilseq)?;
    Ok(text.split_terminator('\0').map(str::to_owned).collect())
}

/// A 32-bit address or length.
pub(super) fn size(number: i32) -> Result<usize, Errno> {
    usize::try_from(number.cast_unsigned()).map_err(|_| Errno::Fault)
}
