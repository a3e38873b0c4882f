use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn pod(number: u8, readiness: Readiness) -> Arc<PodRecord> {
    Arc::new(PodRecord {
        uid: format!("uid-{number}"),
        name: format!("web-{number}"),
        namespace: "default".into(),
        hostname: format!("web-{number}"),
        subdomain: None,
        labels: labels(&[("app", "web"), ("tier", "front")]),
        ips: vec![ip(&format!("10.244.0.{number}")), ip(&format!("fd00::{number}"))],
        ports: vec![PodPort {
            name: "http".into(),
            number: 8000 + u16::from(number),
            transport: ServiceTransport::Tcp,
        }],
        socket: format!("/run/{number}").into(),
        readiness,
    })
}

fn service() -> ServiceRecord {
    ServiceRecord {
        name: "web".into(),
        namespace: "default".into(),
        kind: ServiceKind::ClusterIp(vec![ip("10.96.0.7")]),
        selector: labels(&[("app", "web")]),
        ports: vec![ServicePort {
            name: String::new(),
            transport: ServiceTransport::Tcp,
            port: 80,
            target: TargetPort::Number(8080),
            node_port: None,
        }],
        affinity: None,
        publish_not_ready: false,
        kept: false,
    }
}

fn chosen_of(service: &ServiceRecord, pods: &[Arc<PodRecord>]) -> Vec<(String, u16)> {
    let found = endpoints(service, &service.ports[0], pods);
    found.map(|endpoint| (endpoint.pod.uid.clone(), endpoint.port)).collect()
}

#[test]
fn ready_pods_that_the_selector_chooses_are_endpoints() {
    use Readiness::{NotReady, Ready, Terminating};
    let pods = [pod(1, Ready), pod(2, NotReady), pod(3, Terminating), pod(4, Ready)];
    assert_eq!(chosen_of(&service(), &pods), [("uid-1".into(), 8080), ("uid-4".into(), 8080)]);

    let everybody = ServiceRecord { publish_not_ready: true, ..service() };
    let uids: Vec<String> = chosen_of(&everybody, &pods).into_iter().map(|(uid, _)| uid).collect();
    assert_eq!(uids, ["uid-1", "uid-2", "uid-4"], "one that ends is never chosen");

    let narrower = labels(&[("app", "web"), ("tier", "back")]);
    assert_eq!(chosen_of(&ServiceRecord { selector: narrower, ..service() }, &pods), []);
    let nobody = ServiceRecord { selector: BTreeMap::new(), ..service() };
    assert_eq!(chosen_of(&nobody, &pods), [], "an empty selector chooses nobody");
    let elsewhere = ServiceRecord { namespace: "shop".into(), ..service() };
    assert_eq!(chosen_of(&elsewhere, &pods), []);
}

#[test]
fn a_named_target_is_the_port_of_each_pod() {
    let pods = [pod(1, Readiness::Ready), pod(2, Readiness::Ready)];
    let mut service = service();
    service.ports[0].target = TargetPort::Name("http".into());
    assert_eq!(chosen_of(&service, &pods), [("uid-1".into(), 8001), ("uid-2".into(), 8002)]);
    service.ports[0].transport = ServiceTransport::Udp;
    assert_eq!(chosen_of(&service, &pods), [], "of the same protocol");
    service.ports[0].target = TargetPort::Name("metrics".into());
    assert_eq!(chosen_of(&service, &pods), []);
}

#[test]
fn an_endpoint_is_called_in_the_family_of_the_service() {
    let (service, pods) = (service(), [pod(1, Readiness::Ready)]);
    let found = endpoints(&service, &service.ports[0], &pods).next().unwrap();
    assert_eq!(found.address(ip("10.96.0.7")), Some("10.244.0.1:8080".parse().unwrap()));
    assert_eq!(found.address(ip("::1")), Some("[fd00::1]:8080".parse().unwrap()));
}

fn origin() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "any instant serves as the origin")]
    Instant::now()
}

/// Whom the next connection of `client` goes to.
fn next(
    balancer: &mut Balancer,
    service: &ServiceRecord,
    client: &str,
    pods: &[Arc<PodRecord>],
    now: Instant,
) -> String {
    let (port, client) = (&service.ports[0], ip(client));
    let found = endpoints(service, port, pods);
    let order = balancer.order(service, port, client, found, now);
    let uid = order[0].pod.uid.clone();
    balancer.connected(service, port, client, &uid, now);
    uid
}

#[test]
fn a_client_stays_with_its_pod_until_it_is_silent_for_too_long() {
    let pods: Vec<_> = (1..=3).map(|number| pod(number, Readiness::Ready)).collect();
    let sticky = ServiceRecord { affinity: Some(Duration::from_secs(60)), ..service() };
    let mut balancer = Balancer::new(0);
    let start = origin();
    let at = |seconds| start + Duration::from_secs(seconds);
    let first = next(&mut balancer, &sticky, "10.244.0.9", &pods, at(0));
    for seconds in [1, 50, 110, 170] {
        assert_eq!(next(&mut balancer, &sticky, "10.244.0.9", &pods, at(seconds)), first);
    }
    let other = next(&mut balancer, &sticky, "10.244.0.10", &pods, at(171));
    assert_ne!(other, first, "each client has a turn of its own");
    assert_ne!(next(&mut balancer, &sticky, "10.244.0.9", &pods, at(231)), first, "61 s later");
    // Its Pod is gone: another one, and from then on that.
    let left: Vec<_> = pods.iter().filter(|pod| pod.uid != other).cloned().collect();
    let moved = next(&mut balancer, &sticky, "10.244.0.10", &left, at(232));
    assert_ne!(moved, other);
    assert_eq!(next(&mut balancer, &sticky, "10.244.0.10", &pods, at(233)), moved);
}

proptest! {
    #[test]
    fn turns_are_even(count in 1..8_u8, seed in any::<u64>(), rounds in 1..5_usize) {
        let pods: Vec<_> = (1..=count).map(|number| pod(number, Readiness::Ready)).collect();
        let mut balancer = Balancer::new(seed);
        let mut calls: BTreeMap<String, usize> = BTreeMap::new();
        for _ in 0..rounds * usize::from(count) {
            let uid = next(&mut balancer, &service(), "10.244.0.9", &pods, origin());
            *calls.entry(uid).or_default() += 1;
        }
        prop_assert!(calls.values().all(|calls| *calls == rounds), "{calls:?}");
    }

    #[test]
    fn every_endpoint_is_tried(count in 0..8_u8, seed in any::<u64>()) {
        let pods: Vec<_> = (0..count).map(|number| pod(number, Readiness::Ready)).collect();
        let (service, mut balancer) = (service(), Balancer::new(seed));
        let found = endpoints(&service, &service.ports[0], &pods);
        let order = balancer.order(&service, &service.ports[0], ip("::1"), found, origin());
        let uids: BTreeSet<_> = order.iter().map(|endpoint| &endpoint.pod.uid).collect();
        prop_assert_eq!(uids.len(), usize::from(count));
    }
}

#[test]
fn what_is_published_is_known_at_once_and_until_it_is_withdrawn() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) =
        (Directory::new(folder.path().into()), Directory::new(folder.path().into()));
    assert!(theirs.pods().is_empty());
    let mut record = (*pod(1, Readiness::NotReady)).clone();
    let mut held = ours.publish_pod(&record).unwrap();
    for round in 0..200 {
        record.readiness = if round % 2 == 0 { Readiness::Ready } else { Readiness::NotReady };
        held.update(&record).unwrap();
        assert_eq!(*theirs.pods(), [Arc::new(record.clone())], "round {round}");
    }
    let published = ours.publish_service(&service(), "s").unwrap();
    assert_eq!(theirs.service_at(ip("10.96.0.7")).unwrap().name, "web");
    assert_eq!(theirs.pod_at(ip("fd00::1")).unwrap().name, "web-1");
    drop((held, published));
    assert!(theirs.pods().is_empty() && theirs.services().is_empty());
    assert_eq!(std::fs::read_dir(folder.path().join("pods")).unwrap().count(), 0);
}
