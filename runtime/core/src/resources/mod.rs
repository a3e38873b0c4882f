//! Requests and limits made true.
