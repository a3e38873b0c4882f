//! TCP: states, streams, limits.

use wasmtime_wasi_io::streams::StreamError;

use super::super::bindings::wasi::sockets::tcp::ShutdownType;
use super::*;

const ANY: [(IpAddressFamily, &str); 2] =
    [(IpAddressFamily::Ipv4, "127.0.0.1:0"), (IpAddressFamily::Ipv6, "[::1]:0")];

#[test]
fn each_state_answers_as_the_world_expects() {
    use ErrorCode::{ConcurrencyConflict, InvalidState, NotInProgress};
    for (family, local) in ANY {
        let local = SocketAddr::into(local.parse::<SocketAddr>().unwrap());
        let mut guest = Guest::new();
        let handle = |guest: &mut Guest| guest.handle();

        let unbound = guest.tcp(family);
        assert_eq!(code(guest.network().finish_bind(tcp(unbound))), NotInProgress);
        assert_eq!(code(guest.network().finish_connect(tcp(unbound))), NotInProgress);
        assert_eq!(code(guest.network().start_listen(tcp(unbound))), InvalidState);
        assert_eq!(code(guest.network().finish_listen(tcp(unbound))), NotInProgress);
        assert_eq!(code(guest.network().accept(tcp(unbound))), InvalidState);
        assert_eq!(code(guest.network().shutdown(tcp(unbound), ShutdownType::Both)), InvalidState);
        assert_eq!(code(guest.network().local_address(tcp(unbound))), InvalidState);
        assert_eq!(code(guest.network().remote_address(tcp(unbound))), InvalidState);
        assert!(!guest.network().is_listening(tcp(unbound)).unwrap());
        assert!(guest.is_ready(unbound));

        // Between start and finish nothing else may start.
        let network = handle(&mut guest);
        guest.network().start_bind(tcp(unbound), network, local).unwrap();
        let network = handle(&mut guest);
        let conflict = guest.network().start_connect(tcp(unbound), network, local);
        assert_eq!(code(conflict), ConcurrencyConflict);
        assert_eq!(code(guest.network().start_listen(tcp(unbound))), ConcurrencyConflict);
        guest.network().finish_bind(tcp(unbound)).unwrap();

        let bound = unbound;
        let network = handle(&mut guest);
        assert_eq!(code(guest.network().start_bind(tcp(bound), network, local)), InvalidState);
        assert_eq!(code(guest.network().finish_bind(tcp(bound))), NotInProgress);
        assert_eq!(code(guest.network().accept(tcp(bound))), InvalidState);
        assert!(guest.network().local_address(tcp(bound)).is_ok());

        let listening = guest.listening(match family {
            IpAddressFamily::Ipv4 => "127.0.0.1:0",
            IpAddressFamily::Ipv6 => "[::1]:0",
        });
        let network = handle(&mut guest);
        assert_eq!(code(guest.network().start_bind(tcp(listening), network, local)), InvalidState);
        let network = handle(&mut guest);
        let outcome = guest.network().start_connect(tcp(listening), network, local);
        assert_eq!(code(outcome), InvalidState);
        assert_eq!(code(guest.network().start_listen(tcp(listening))), InvalidState);
        assert_eq!(code(guest.network().accept(tcp(listening))), ErrorCode::WouldBlock);
        assert!(guest.network().is_listening(tcp(listening)).unwrap());
        guest.network().set_listen_backlog_size(tcp(listening), 32).unwrap();
        guest.network().set_hop_limit(tcp(listening), 255).unwrap();
    }
}

#[test]
fn a_refused_connection_is_told_at_the_end() {
    let mut guest = Guest::new();
    let socket = guest.tcp(IpAddressFamily::Ipv4);
    let network = guest.handle();
    let remote: SocketAddr = "127.0.0.1:47".parse().unwrap();
    guest.network().start_connect(tcp(socket), network, remote.into()).unwrap();
    assert!(guest.is_ready(socket));
    let refused = ErrorCode::ConnectionRefused;
    assert_eq!(code(guest.network().finish_connect(tcp(socket))), refused);
    assert_eq!(code(guest.network().finish_connect(tcp(socket))), ErrorCode::NotInProgress);
    let shutdown = guest.network().shutdown(tcp(socket), ShutdownType::Both);
    assert_eq!(code(shutdown), ErrorCode::InvalidState);
    let network = guest.handle();
    let again = guest.network().start_connect(tcp(socket), network, remote.into());
    assert_eq!(code(again), ErrorCode::InvalidState);
}

#[test]
fn streams_end_as_the_world_expects() {
    for (_, local) in ANY {
        // By the other side.
        let mut guest = Guest::new();
        let (server, client) = guest.connected(local);
        assert!(guest.input(&client).ready().now_or_never().is_none());
        guest.write(&server, b"bye");
        guest.network().shutdown(tcp(server.socket), ShutdownType::Both).unwrap();
        guest.drop_connection(server);
        guest.input(&client).ready().now_or_never().unwrap();
        assert_eq!(guest.input(&client).read(10).unwrap(), "bye");
        assert!(matches!(guest.input(&client).read(10), Err(StreamError::Closed)));
        assert!(matches!(guest.input(&client).read(0), Err(StreamError::Closed)));

        // By this side, with bytes unread.
        let (server, client) = guest.connected(local);
        guest.write(&server, b"Lorem ipsum");
        guest.network().shutdown(tcp(client.socket), ShutdownType::Receive).unwrap();
        assert!(matches!(guest.input(&client).read(10), Err(StreamError::Closed)));
        assert!(matches!(guest.input(&client).read(0), Err(StreamError::Closed)));

        // Writing: a permit from before does not help.
        assert!(guest.output(&client).check_write().unwrap() > 3);
        guest.network().shutdown(tcp(client.socket), ShutdownType::Send).unwrap();
        let output = guest.output(&client);
        assert!(matches!(output.write(Bytes::from_static(b"Hi!")), Err(StreamError::Closed)));
        assert!(matches!(output.check_write(), Err(StreamError::Closed)));
        assert!(matches!(output.flush(), Err(StreamError::Closed)));
        guest.drop_connection(server);
    }
}

#[test]
fn writes_need_a_permit_and_small_ones_never_starve() {
    let mut guest = Guest::new();
    let (server, client) = guest.connected("127.0.0.1:0");
    let unpermitted = guest.output(&client).write(Bytes::from_static(b"x"));
    assert!(matches!(unpermitted, Err(StreamError::Trap(_))));
    for _ in 0..1000 {
        guest.write(&client, b"x");
    }
    guest.network().set_send_buffer_size(tcp(client.socket), 1024).unwrap();
    let small = guest.network().send_buffer_size(tcp(client.socket)).unwrap();
    let permit = guest.output(&client).check_write().unwrap();
    assert!(u64::try_from(permit).unwrap() > small);
    guest.output(&client).write(Bytes::from(vec![b'x'; permit])).unwrap();
    guest.network().shutdown(tcp(client.socket), ShutdownType::Send).unwrap();
    let mut received = 0;
    while let Ok(bytes) = guest.input(&server).read(usize::MAX) {
        received += bytes.len();
    }
    assert_eq!(received, 1000 + permit);
}

#[test]
fn a_reset_can_be_told_from_an_end() {
    let mut guest = Guest::new();
    let (server, client) = guest.connected("127.0.0.1:0");
    guest.write(&client, b"never read");
    guest.drop_connection(server);
    let Err(StreamError::LastOperationFailed(error)) = guest.input(&client).read(10) else {
        panic!("a reset is no end");
    };
    let error = guest.table.push(error).unwrap();
    let told = super::bindings::wasi::sockets::network::Host::network_error_code(
        &mut guest.network(),
        Resource::new_borrow(error.rep()),
    );
    assert_eq!(told.unwrap(), Some(ErrorCode::ConnectionReset));
}

#[test]
fn a_table_that_is_full_is_a_limit_and_no_trap() {
    let mut guest = Guest::new();
    guest.table.set_max_capacity(10);
    let mut create = || {
        let family = IpAddressFamily::Ipv4;
        tcp_create_socket::Host::create_tcp_socket(&mut guest.network(), family)
    };
    let failure = std::iter::from_fn(|| Some(create())).find(Result::is_err).unwrap();
    assert_eq!(code(failure), ErrorCode::NewSocketLimit);
}
