//! Which call a TCP socket takes in which state.

use wasip2::sockets::network::{ErrorCode, IpAddressFamily};
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};

use crate::sockets::{bind, connect, listen, listener, loopback, network, pair, tcp};
use crate::{Kept, Rule, must};

pub(crate) const RULES: &[Rule] = &[
    ("tcp states: a new socket", new),
    ("tcp states: a bound socket", bound),
    ("tcp states: a listening socket", listening),
    ("tcp states: a connected socket", connected),
    ("tcp states: a socket whose connection was refused", refused),
];

fn new(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    nothing_in_progress(&socket)?;
    // Other than with POSIX, nothing binds itself on listen.
    must!(socket.start_listen(), Err(ErrorCode::InvalidState));
    not_connected(&socket)?;
    must!(socket.local_address(), Err(ErrorCode::InvalidState));
    options_work(&socket, family)?;
    must!(socket.set_listen_backlog_size(32), Ok(()));
    Ok(())
}

fn bound(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    must!(bind(&socket, loopback(family, 0)), Ok(()));
    must!(socket.start_bind(&network(), loopback(family, 0)), Err(ErrorCode::InvalidState));
    nothing_in_progress(&socket)?;
    not_connected(&socket)?;
    must!(socket.local_address(), Ok(_));
    options_work(&socket, family)?;
    must!(socket.set_listen_backlog_size(32), Ok(()));
    Ok(())
}

fn listening(family: IpAddressFamily) -> Kept {
    let (socket, address) = listener(family)?;
    must!(socket.start_bind(&network(), loopback(family, 0)), Err(ErrorCode::InvalidState));
    must!(socket.start_connect(&network(), address), Err(ErrorCode::InvalidState));
    must!(socket.start_listen(), Err(ErrorCode::InvalidState));
    nothing_in_progress(&socket)?;
    must!(socket.accept(), Err(ErrorCode::WouldBlock));
    must!(socket.shutdown(ShutdownType::Both), Err(ErrorCode::InvalidState));
    must!(socket.remote_address(), Err(ErrorCode::InvalidState));
    must!(socket.local_address(), Ok(_));
    must!(socket.is_listening(), true);
    must!(socket.set_listen_backlog_size(32), Ok(()) | Err(ErrorCode::NotSupported));
    options_work(&socket, family)
}

fn connected(family: IpAddressFamily) -> Kept {
    let (client, server) = pair(family)?;
    for end in [&client, &server] {
        let socket = &end.socket;
        must!(socket.start_bind(&network(), loopback(family, 0)), Err(ErrorCode::InvalidState));
        must!(socket.start_connect(&network(), loopback(family, 9)), Err(ErrorCode::InvalidState));
        must!(socket.start_listen(), Err(ErrorCode::InvalidState));
        nothing_in_progress(socket)?;
        must!(socket.accept(), Err(ErrorCode::InvalidState));
        must!(socket.local_address(), Ok(_));
        must!(socket.remote_address(), Ok(_));
        must!(socket.is_listening(), false);
        options_work(socket, family)?;
    }
    Ok(())
}

fn refused(family: IpAddressFamily) -> Kept {
    let (gone, address) = listener(family)?;
    drop(gone);
    let socket = tcp(family)?;
    must!(connect(&socket, address), Err(ErrorCode::ConnectionRefused));
    nothing_in_progress(&socket)?;
    // A failed connect leaves nothing that one could go on with.
    must!(socket.start_connect(&network(), address), Err(ErrorCode::InvalidState));
    must!(listen(&socket), Err(ErrorCode::InvalidState));
    must!(socket.remote_address(), Err(_));
    Ok(())
}

fn nothing_in_progress(socket: &TcpSocket) -> Kept {
    must!(socket.finish_bind(), Err(ErrorCode::NotInProgress));
    must!(socket.finish_connect(), Err(ErrorCode::NotInProgress));
    must!(socket.finish_listen(), Err(ErrorCode::NotInProgress));
    Ok(())
}

fn not_connected(socket: &TcpSocket) -> Kept {
    must!(socket.accept(), Err(ErrorCode::InvalidState));
    must!(socket.shutdown(ShutdownType::Both), Err(ErrorCode::InvalidState));
    must!(socket.remote_address(), Err(ErrorCode::InvalidState));
    must!(socket.is_listening(), false);
    Ok(())
}

/// Every state has the options.
fn options_work(socket: &TcpSocket, family: IpAddressFamily) -> Kept {
    if socket.address_family() != family {
        return Err(format!("address_family gave {:?}", socket.address_family()));
    }
    must!(socket.keep_alive_enabled(), Ok(_));
    must!(socket.set_keep_alive_enabled(false), Ok(()));
    must!(socket.keep_alive_idle_time(), Ok(_));
    must!(socket.set_keep_alive_idle_time(1), Ok(()));
    must!(socket.keep_alive_interval(), Ok(_));
    must!(socket.set_keep_alive_interval(1), Ok(()));
    must!(socket.keep_alive_count(), Ok(_));
    must!(socket.set_keep_alive_count(1), Ok(()));
    must!(socket.hop_limit(), Ok(_));
    must!(socket.set_hop_limit(255), Ok(()));
    must!(socket.receive_buffer_size(), Ok(_));
    must!(socket.set_receive_buffer_size(16_000), Ok(()));
    must!(socket.send_buffer_size(), Ok(_));
    must!(socket.set_send_buffer_size(16_000), Ok(()));
    Ok(())
}
