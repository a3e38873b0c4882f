//! Which endpoint is next.
//!
//! Each process spreads its own connections: one endpoint after the other, from where its seed
//! says, so that many clients do not all begin with the same. `sessionAffinity: ClientIP` comes
//! first: a client stays with its Pod until it has not called for so long.
//!
//! Rule: kube-proxy, which draws lots instead; taking turns is never further from even.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Instant;

use super::endpoints::EndpointAddress;
use super::record::{ServicePort, ServiceRecord, ServiceTransport};

/// Clients that are remembered; beyond, the one that has not called for the longest is forgotten.
const MOST_CLIENTS: usize = 4096;

/// Ports of Services whose turn is remembered; beyond, all begin anew.
const MOST_FLOWS: usize = 4096;

/// Takes turns among the endpoints of Services.
#[derive(Debug)]
pub(crate) struct Balancer {
    seed: u64,
    turns: HashMap<Flow, u64>,
    clients: HashMap<(Flow, IpAddr), Client>,
}

/// One port of a Service.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Flow {
    namespace: String,
    name: String,
    transport: ServiceTransport,
    port: u16,
}

#[derive(Debug)]
struct Client {
    pod: String,
    latest: Instant,
}

impl Flow {
    fn of(service: &ServiceRecord, port: &ServicePort) -> Self {
        Self {
            namespace: service.namespace.clone(),
            name: service.name.clone(),
            transport: port.transport,
            port: port.port,
        }
    }
}

impl Balancer {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, turns: HashMap::new(), clients: HashMap::new() }
    }

    /// The endpoints in the order in which a connection of `client` tries them.
    pub(crate) fn order(
        &mut self,
        service: &ServiceRecord,
        port: &ServicePort,
        client: IpAddr,
        endpoints: impl Iterator<Item = EndpointAddress>,
        now: Instant,
    ) -> Vec<EndpointAddress> {
        let mut endpoints: Vec<EndpointAddress> = endpoints.collect();
        if endpoints.is_empty() {
            return endpoints;
        }
        let flow = Flow::of(service, port);
        let count = u64::try_from(endpoints.len()).unwrap_or(u64::MAX);
        let key = (flow, client);
        let known = service.affinity.and_then(|timeout| {
            let known = self.clients.get(&key)?;
            let lasts = now.saturating_duration_since(known.latest) <= timeout;
            let place = endpoints.iter().position(|endpoint| endpoint.pod.uid == known.pod);
            place.filter(|_| lasts)
        });
        let first = match known {
            Some(place) => place,
            None => {
                if self.turns.len() >= MOST_FLOWS && !self.turns.contains_key(&key.0) {
                    self.turns.clear();
                }
                let turn = self.turns.entry(key.0).or_insert(self.seed);
                let first = usize::try_from(*turn % count).unwrap_or(0);
                *turn = turn.wrapping_add(1);
                first
            }
        };
        endpoints.rotate_left(first);
        endpoints
    }

    /// A connection of `client` has come about with this Pod.
    pub(crate) fn connected(
        &mut self,
        service: &ServiceRecord,
        port: &ServicePort,
        client: IpAddr,
        pod: &str,
        now: Instant,
    ) {
        let Some(timeout) = service.affinity else { return };
        if self.clients.len() >= MOST_CLIENTS {
            self.clients
                .retain(|_, client| now.saturating_duration_since(client.latest) <= timeout);
        }
        let key = (Flow::of(service, port), client);
        if self.clients.len() >= MOST_CLIENTS && !self.clients.contains_key(&key) {
            let oldest = self.clients.iter().min_by_key(|(_, client)| client.latest);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.clients.remove(&oldest);
            }
        }
        self.clients.insert(key, Client { pod: pod.to_owned(), latest: now });
    }
}
