//! Whom a socket has written to under another address than the guest knows.

use std::collections::VecDeque;
use std::net::SocketAddr;

/// How many a socket remembers; the one that was not written to for the longest is forgotten.
const CONTACTS: usize = 256;

/// The latest contacts of one socket.
#[derive(Debug, Default)]
pub(super) struct Contacts(VecDeque<Contact>);

/// An address under both its names: the guest's and the one that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) named: SocketAddr,
    pub(super) dialled: SocketAddr,
}

impl Contacts {
    pub(super) fn remember(&mut self, contact: Contact) {
        if self.0.back() == Some(&contact) {
            return;
        }
        self.0.retain(|known| known.named != contact.named);
        if self.0.len() >= CONTACTS {
            self.0.pop_front();
        }
        self.0.push_back(contact);
    }

    /// What is called when the guest names `named`.
    pub(super) fn dialled(&self, named: SocketAddr) -> Option<SocketAddr> {
        self.0.iter().find(|contact| contact.named == named).map(|contact| contact.dialled)
    }

    /// The guest's name for who answers from `dialled`.
    pub(super) fn named(&self, dialled: SocketAddr) -> Option<SocketAddr> {
        self.0.iter().rev().find(|contact| contact.dialled == dialled).map(|contact| contact.named)
    }
}
