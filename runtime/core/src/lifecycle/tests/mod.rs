//! The rules of phase, conditions, status and columns as tables, and the plan under any order of
//! events.

mod any_order;
mod columns;
mod tables;
