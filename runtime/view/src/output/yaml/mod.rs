//! YAML as kubectl writes it.
//!
//! A crate would write YAML that means the same, but not the same text: people compare what
//! `wasmpod get -o yaml` and `kubectl get -o yaml` print. Only what JSON can hold is written.
//!
//! Rule: the emitter of go-yaml 2 (`sigs.k8s.io/yaml`): keys in natural order, lists not indented
//! below their key, lines folded behind the 80th column, texts of several lines as `|` blocks.

mod keys;
mod resolve;
mod scalar;
mod style;
mod write;

pub(crate) use write::to_string;

#[cfg(test)]
mod tests;
