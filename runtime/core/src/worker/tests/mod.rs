//! Whole Pods of scripted guests on virtual time; each test reads as the trace of one Pod.

mod changes;
mod hooks;
mod places;
mod probes;
mod restarts;
mod scripted;
mod starts;
mod stops;
