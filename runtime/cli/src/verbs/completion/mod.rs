//! `wasmpod completion SHELL`, and what its scripts ask at each Tab.
//!
//! bash, zsh and fish are given a few lines that call `wasmpod __complete` with what was typed. That walks
//! the definition of the command line and looks into the store for names; it starts nothing, mends
//! nothing, and says nothing where it cannot tell. The other shells get a script of verbs and flags.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `script` | what a shell is given once | yes |
//! | `line` | a line of bash as words, and what of a candidate bash wants | yes |
//! | `typed` | what the words before the cursor say | |
//! | `complete` | what is answered | |
//! | `names` | what there is: objects, containers, ports, fields | |

mod complete;
mod line;
pub(crate) mod names;
mod script;
mod typed;

pub(crate) use complete::complete;
pub(crate) use script::completion;
