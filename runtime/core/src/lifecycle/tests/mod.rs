//! The rules of phase, conditions and status as tables, and the plan under any order of
//! events.

mod any_order;
mod tables;
