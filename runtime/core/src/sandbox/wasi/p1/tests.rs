//! Core modules with sockets.
