//! The root file system of a container and the volumes mounted into it.
