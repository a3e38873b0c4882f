//! The first instructions of the program that is shipped: they have the kernel map at once what a start
//! needs.
//!
//! A start comes by some sixty pieces of code and writes to a hundred pages that hold addresses, which
//! depend on where the program lies. Each is a page fault; on a virtual machine one may take five
//! microseconds, and all of them together a third of a short Pod's life. Asked for as a whole they take
//! the kernel a fraction of that. It has to come before anything else: the C library's first deed is
//! to write those addresses.
//!
//! `xtask` links the program so that it begins here, and so that the functions of a start lie between
//! the two symbols. Linked otherwise, nobody calls this, and the program begins as any other.

#![expect(unsafe_code, reason = "nothing but instructions can come before the C library")]

use std::mem::offset_of;

// At the entry of a program only the stack and `rdx` have a meaning. A system call changes `rax`, `rcx`
// and `r11`. Kernels before 5.14 refuse the advice, which does no harm.
std::arch::global_asm!(
    ".pushsection .text.wasmpod_entry,\"ax\",@progbits",
    ".globl wasmpod_entry",
    ".type wasmpod_entry,@function",
    "wasmpod_entry:",
    "mov r12, rdx",
    // The functions of a start.
    "lea rdi, [rip + wasmpod_entry]",
    "lea rsi, [rip + wasmpod_start_end]",
    "mov edx, {populate_read}",
    "call 4f",
    // The segments that are written to, as the program's own headers have them.
    "lea r13, [rip + __ehdr_start]",
    "mov r14, [r13 + {program_headers}]",
    "add r14, r13",
    "movzx r15d, word ptr [r13 + {program_header_count}]",
    "2:",
    "cmp dword ptr [r14 + {segment_type}], {load}",
    "jne 3f",
    "test dword ptr [r14 + {segment_flags}], {writable}",
    "jz 3f",
    "mov rdi, [r14 + {segment_address}]",
    "add rdi, r13",
    "mov rsi, [r14 + {segment_file_size}]",
    "add rsi, rdi",
    "mov edx, {populate_write}",
    "call 4f",
    "3:",
    "add r14, {program_header}",
    "dec r15d",
    "jnz 2b",
    "mov rdx, r12",
    "jmp _start",
    // Gives the advice `edx` for the whole pages from `rdi` to `rsi`, unless they are too many to be
    // what is meant: then the linker has put things elsewhere.
    "4:",
    "and rdi, -4096",
    "add rsi, 4095",
    "and rsi, -4096",
    "sub rsi, rdi",
    "cmp rsi, {most}",
    "ja 5f",
    "mov eax, {madvise}",
    "syscall",
    "5: ret",
    ".size wasmpod_entry, . - wasmpod_entry",
    ".popsection",
    ".pushsection .text.wasmpod_start_end,\"ax\",@progbits",
    ".globl wasmpod_start_end",
    ".type wasmpod_start_end,@function",
    "wasmpod_start_end: ret",
    ".size wasmpod_start_end, . - wasmpod_start_end",
    ".popsection",
    madvise = const libc::SYS_madvise,
    populate_read = const libc::MADV_POPULATE_READ,
    populate_write = const libc::MADV_POPULATE_WRITE,
    most = const 8 << 20,
    program_headers = const offset_of!(libc::Elf64_Ehdr, e_phoff),
    program_header_count = const offset_of!(libc::Elf64_Ehdr, e_phnum),
    program_header = const size_of::<libc::Elf64_Phdr>(),
    segment_type = const offset_of!(libc::Elf64_Phdr, p_type),
    segment_flags = const offset_of!(libc::Elf64_Phdr, p_flags),
    segment_address = const offset_of!(libc::Elf64_Phdr, p_vaddr),
    segment_file_size = const offset_of!(libc::Elf64_Phdr, p_filesz),
    load = const libc::PT_LOAD,
    writable = const libc::PF_W,
);
