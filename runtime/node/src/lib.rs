//! Many Pods on one machine: the object store, the processes of Pods, the Kubernetes API.
//!
//! Nothing is here yet. `wasmpod run` needs no node: its Pods live as long as the command.
