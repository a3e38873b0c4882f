//! Where the containers of a Pod get their CPU time.
