//! The life of whole Pods, on virtual time.
