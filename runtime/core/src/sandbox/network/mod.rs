//! One Pod's address space: one IP, one port space, in memory.
