//! Verbs that get at what runs in a Pod: its output, commands in it, its ports, its files.
//!
//! | file | subject |
//! |---|---|
//! | `logs`, `exec`, `debug`, `attach`, `port_forward`, `cp` | a verb each |
//! | `target` | which Pod and container are meant |
//! | `session` | between this process's streams and a Pod's |
//! | `terminal` | the terminal that this process has |

pub(crate) mod attach;
pub(crate) mod cp;
pub(crate) mod debug;
pub(crate) mod exec;
pub(crate) mod logs;
pub(crate) mod port_forward;
mod session;
mod target;
mod terminal;
