//! End to end: what a user types and sees. One binary, a file for each subject.

mod harness;

mod bad_guests;
mod bad_images;
mod bad_manifests;
mod bad_surroundings;
mod cli;
mod eviction;
mod examples;
mod kills;
mod kinds;
mod manifests;
mod network;
mod programs;
mod run;
mod sockets;
mod terminal;
