//! A reference in, runnable machine code out.
