//! Name lookup.

use super::super::bindings::wasi::sockets::ip_name_lookup::{Host, HostResolveAddressStream};
use super::super::bindings::wasi::sockets::network::{ErrorCode, IpAddress};
use super::{Guest, code};
use crate::sandbox::wasi::NetworkView;
use crate::sandbox::wasi::p2::SocketResult;
use wasmtime::component::Resource;

#[tokio::test]
async fn names_resolve_or_say_why_not() {
    let mut guest = Guest::new();
    let mut resolve = |name: &str| {
        let network = guest.handle();
        let stream = guest.network().resolve_addresses(network, name.to_owned())?.rep();
        let next =
            |guest: &mut Guest| guest.network().resolve_next_address(Resource::new_borrow(stream));
        let mut addresses = Vec::new();
        while let Some(address) = next(&mut guest)? {
            addresses.push(address);
        }
        SocketResult::Ok(addresses)
    };
    assert!(matches!(resolve("web").unwrap()[..], [IpAddress::Ipv4((10, 88, 0, 2))]));
    assert!(matches!(resolve("0.0.0.0").unwrap()[..], [IpAddress::Ipv4((0, 0, 0, 0))]));
    assert_eq!(resolve("localhost").unwrap().len(), 2);
    for name in ["", " ", "a.b<&>", "127.0.0.1:80", "[::]:80", "http://example.com/"] {
        assert_eq!(code(resolve(name)), ErrorCode::InvalidArgument, "{name:?}");
    }
    assert_eq!(code(resolve("nobody.svc.cluster.local")), ErrorCode::NameUnresolvable);
}
