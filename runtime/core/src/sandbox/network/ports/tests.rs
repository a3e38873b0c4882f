use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::sandbox::network::NetworkError;

fn ip(text: &str) -> Coverage {
    Coverage::Ip(text.parse().unwrap())
}

#[test]
fn overlapping_addresses_cannot_share_a_port() {
    for (first, second, conflict) in [
        (ip("10.0.0.1"), ip("10.0.0.1"), true),
        (ip("10.0.0.1"), ip("127.0.0.1"), false),
        (ip("0.0.0.0"), ip("127.0.0.1"), true),
        (ip("127.0.0.1"), ip("0.0.0.0"), true),
        (ip("0.0.0.0"), ip("0.0.0.0"), true),
        (ip("0.0.0.0"), ip("::"), false),
        (ip("::"), ip("::1"), true),
        (Coverage::DualStack, ip("127.0.0.1"), true),
        (ip("::1"), Coverage::DualStack, true),
        (Coverage::DualStack, Coverage::DualStack, true),
    ] {
        let mut table = PortTable::<()>::new(1);
        table.bind(first, 80).unwrap();
        let outcome = table.bind(second, 80).map(|_| ());
        let expected = if conflict { Err(NetworkError::AddressInUse) } else { Ok(()) };
        assert_eq!(outcome, expected, "{first:?} then {second:?}");
    }
}

#[test]
fn a_released_port_is_free_at_once() {
    let mut table = PortTable::new(1);
    let (port, id) = table.bind(ip("0.0.0.0"), 8080).unwrap();
    table.receive(port, id, "first");
    assert_eq!(table.lookup("10.0.0.9".parse().unwrap(), 8080), Some(&"first"));
    assert_eq!(table.release(port, id), Some("first"));
    assert_eq!(table.lookup("10.0.0.9".parse().unwrap(), 8080), None);
    assert!(table.bind(ip("0.0.0.0"), 8080).is_ok());
}

#[test]
fn the_specific_address_is_preferred_to_a_wildcard_of_the_other_family() {
    let mut table = PortTable::new(1);
    for (coverage, name) in [(ip("0.0.0.0"), "v4"), (ip("::"), "v6")] {
        let (port, id) = table.bind(coverage, 53).unwrap();
        table.receive(port, id, name);
    }
    assert_eq!(table.lookup("127.0.0.1".parse().unwrap(), 53), Some(&"v4"));
    assert_eq!(table.lookup("::1".parse().unwrap(), 53), Some(&"v6"));
}

#[test]
fn every_ephemeral_port_is_handed_out_before_the_space_is_exhausted() {
    for seed in [0, 1, 3529 << 32, (3529 * 3) << 32, u64::MAX] {
        let mut table = PortTable::<()>::new(seed);
        let ports: HashSet<u16> =
            (0..28_232).map(|_| table.bind(ip("10.0.0.1"), 0).unwrap().0).collect();
        assert_eq!(ports.len(), 28_232, "seed {seed}");
        assert!(ports.iter().all(|port| (32_768..=60_999).contains(port)));
        assert_eq!(
            table.bind(ip("10.0.0.1"), 0).map(|_| ()),
            Err(NetworkError::AddressNotAvailable)
        );
        assert!(table.bind(ip("10.0.0.2"), 0).is_ok(), "another address has ports of its own");
    }
}

#[test]
fn the_seed_decides_the_order() {
    let first_three = |seed: u64| {
        let mut table = PortTable::<()>::new(seed);
        [0; 3].map(|_| table.bind(ip("10.0.0.1"), 0).unwrap().0)
    };
    assert_eq!(first_three(7), first_three(7));
    assert_ne!(first_three(7), first_three(8));
}

#[derive(Debug, Clone)]
enum Step {
    Bind(Coverage, u16),
    Release(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let coverage = prop_oneof![
        Just(ip("0.0.0.0")),
        Just(ip("10.0.0.1")),
        Just(ip("127.0.0.1")),
        Just(ip("::")),
        Just(ip("::1")),
        Just(Coverage::DualStack),
    ];
    let step = prop_oneof![
        3 => (coverage, prop_oneof![Just(0_u16), 80..84_u16])
            .prop_map(|(coverage, port)| Step::Bind(coverage, port)),
        2 => any::<usize>().prop_map(Step::Release),
    ];
    prop::collection::vec(step, 0..200)
}

proptest! {
    /// In any order of binds and closes no address has two owners of one port, and what was
    /// granted is found.
    #[test]
    fn a_port_has_one_owner(steps in steps()) {
        let mut table = PortTable::new(42);
        let mut owned: Vec<(Coverage, u16, BindingId)> = Vec::new();
        for step in steps {
            match step {
                Step::Bind(coverage, port) => match table.bind(coverage, port) {
                    Ok((granted, id)) => {
                        prop_assert!(port == 0 || granted == port);
                        for (other, other_port, _) in &owned {
                            prop_assert!(*other_port != granted || !other.overlaps(coverage));
                        }
                        table.receive(granted, id, id);
                        owned.push((coverage, granted, id));
                    }
                    Err(_) => prop_assert!(
                        owned.iter().any(|(other, p, _)| *p == port && other.overlaps(coverage))
                    ),
                },
                Step::Release(index) if !owned.is_empty() => {
                    let (_, port, id) = owned.swap_remove(index % owned.len());
                    prop_assert_eq!(table.release(port, id), Some(id));
                    prop_assert_eq!(table.release(port, id), None);
                }
                Step::Release(_) => {}
            }
            for (coverage, port, id) in &owned {
                let probe = match coverage {
                    Coverage::Ip(ip) if ip.is_unspecified() && ip.is_ipv4() => "10.9.9.9".parse().unwrap(),
                    Coverage::Ip(ip) if ip.is_unspecified() => "fd00::9".parse().unwrap(),
                    Coverage::Ip(ip) => *ip,
                    Coverage::DualStack => "10.9.9.9".parse().unwrap(),
                };
                prop_assert_eq!(table.lookup(probe, *port), Some(id));
            }
        }
    }
}
