//! Kubernetes Events: what happened to a Pod, in the words that Kubernetes uses.
