//! Components of 0.3 on a Pod network.
