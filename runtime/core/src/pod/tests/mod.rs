//! Pods of real guests, by the embedding API.

mod lives;
mod virtual_time;
