//! End to end: what a user types and sees. One binary, a file for each subject.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod harness;

mod acceptance;
mod admission;
mod background;
mod bad_guests;
mod bad_images;
mod bad_manifests;
mod bad_surroundings;
mod cgroups;
mod cli;
mod completion;
mod cpu;
mod debug;
mod disk;
mod eviction;
mod examples;
mod faults;
mod first_code;
mod follow;
mod fuel;
mod help;
mod images;
mod info;
mod ipc;
mod kept_services;
mod kills;
mod kinds;
mod manifests;
mod memory;
mod network;
mod node_pressure;
mod patch;
mod probes;
mod programs;
mod resize;
mod run;
mod services;
mod shell;
mod sockets;
mod stats;
mod stop;
mod streams;
mod terminal;
