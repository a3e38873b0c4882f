//! Container logs in the CRI format: write, rotate, read.
