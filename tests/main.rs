//! End to end: what a user types and sees. One binary, a file for each subject.

mod harness;

mod cli;
mod eviction;
mod examples;
mod kinds;
mod manifests;
mod misbehaviour;
mod network;
mod programs;
mod run;
mod sockets;
