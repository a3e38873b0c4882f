use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::sandbox::network::{HostAlias, NetworkConfig, NetworkError, Peer};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn config() -> NetworkConfig {
    let mut config = NetworkConfig::new("web-0", vec![ip("10.88.0.2"), ip("fd00::2")]);
    config.subdomain = Some("web".into());
    config.namespace = "shop".into();
    config.host_aliases = vec![
        HostAlias { ip: ip("1.2.3.4"), hostnames: vec!["foo.local".into(), "bar.local".into()] },
        HostAlias { ip: ip("fd00::9"), hostnames: vec!["foo.local".into()] },
    ];
    config.peers = vec![
        Peer {
            name: "db".into(),
            hostname: "db-0".into(),
            subdomain: Some("data".into()),
            namespace: "shop".into(),
            ips: vec![ip("10.88.0.3")],
            socket: "/run/db".into(),
        },
        Peer {
            name: "far".into(),
            hostname: "far".into(),
            subdomain: None,
            namespace: "other".into(),
            ips: vec![ip("10.88.0.4")],
            socket: "/run/far".into(),
        },
    ];
    config
}

#[test]
fn the_pods_tables_answer() {
    let own = ["10.88.0.2", "fd00::2"];
    for (name, expected) in [
        ("localhost", &["127.0.0.1", "::1"][..]),
        ("LOCALHOST.", &["127.0.0.1", "::1"]),
        ("api.localhost", &["127.0.0.1", "::1"]),
        ("web-0", &own),
        ("Web-0", &own),
        ("web-0.web", &own),
        ("web-0.web.shop", &own),
        ("web-0.web.shop.svc", &own),
        ("web-0.web.shop.svc.cluster.local", &own),
        ("web-0.web.shop.svc.cluster.local.", &own),
        ("foo.local", &["1.2.3.4", "fd00::9"]),
        ("bar.local", &["1.2.3.4"]),
        ("db", &["10.88.0.3"]),
        ("db.shop", &["10.88.0.3"]),
        ("db-0", &["10.88.0.3"]),
        ("db-0.data", &["10.88.0.3"]),
        ("db-0.data.shop.svc.cluster.local", &["10.88.0.3"]),
        ("far.other", &["10.88.0.4"]),
        ("host.wasmpod.internal", &["169.254.1.1"]),
        ("127.0.0.1", &["127.0.0.1"]),
        ("0.0.0.0", &["0.0.0.0"]),
        ("::", &["::"]),
        ("[::]", &["::"]),
        ("DEAD:BEEF::0", &["dead:beef::"]),
    ] {
        let expected = expected.iter().map(|text| ip(text)).collect();
        assert_eq!(look_up(&config(), name), Ok(Lookup::Known(expected)), "{name}");
    }
}

#[test]
fn others_are_asked_for_or_refused() {
    assert_eq!(look_up(&config(), "Example.com."), Ok(Lookup::Ask("example.com".into())));
    assert_eq!(look_up(&config(), "münchen.de"), Ok(Lookup::Ask("xn--mnchen-3ya.de".into())));
    assert_eq!(look_up(&config(), "far"), Ok(Lookup::Ask("far".into())));
    assert_eq!(
        look_up(&config(), "nobody.shop.svc.cluster.local"),
        Err(NetworkError::NameNotFound)
    );
    for name in ["", " ", ".", "a.b<&>", "127.0.0.1:80", "[::]:80", "http://example.com/"] {
        assert_eq!(look_up(&config(), name), Err(NetworkError::InvalidArgument), "{name:?}");
    }
}

proptest! {
    #[test]
    fn no_name_makes_it_panic(name in any::<String>()) {
        let _ = look_up(&config(), &name);
    }
}
