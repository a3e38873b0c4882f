//! Options of TCP: what they take, what they give back, who inherits them.

use wasip2::sockets::network::{ErrorCode, IpAddressFamily};
use wasip2::sockets::tcp::TcpSocket;

use crate::sockets::{accept, bind, connected, listen, listener, loopback, tcp};
use crate::{Kept, Rule, must};

const SECOND: u64 = 1_000_000_000;

pub(crate) const RULES: &[Rule] = &[
    ("tcp options: defaults are above nothing", defaults),
    ("tcp options: 0 is refused, too much is capped", ranges),
    ("tcp options: what was set comes back", comes_back),
    ("tcp options: an accepted connection has its listener's", inherited),
    ("tcp options: also those set while listening", inherited_later),
];

fn defaults(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    must!(socket.keep_alive_enabled(), Ok(_));
    must!(socket.keep_alive_idle_time(), Ok(1..));
    must!(socket.keep_alive_interval(), Ok(1..));
    must!(socket.keep_alive_count(), Ok(1..));
    must!(socket.hop_limit(), Ok(1..));
    must!(socket.receive_buffer_size(), Ok(1..));
    must!(socket.send_buffer_size(), Ok(1..));
    Ok(())
}

fn ranges(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    must!(socket.set_listen_backlog_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_listen_backlog_size(1), Ok(()));
    must!(socket.set_listen_backlog_size(u64::MAX), Ok(()));

    must!(socket.set_keep_alive_idle_time(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_keep_alive_idle_time(1), Ok(()));
    must!(socket.keep_alive_idle_time(), Ok(1..=SECOND));
    must!(socket.set_keep_alive_idle_time(u64::MAX), Ok(()));

    must!(socket.set_keep_alive_interval(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_keep_alive_interval(1), Ok(()));
    must!(socket.keep_alive_interval(), Ok(1..=SECOND));
    must!(socket.set_keep_alive_interval(u64::MAX), Ok(()));

    must!(socket.set_keep_alive_count(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_keep_alive_count(1), Ok(()));
    must!(socket.set_keep_alive_count(u32::MAX), Ok(()));

    must!(socket.set_hop_limit(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_hop_limit(1), Ok(()));
    must!(socket.set_hop_limit(u8::MAX), Ok(()));

    must!(socket.set_receive_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_receive_buffer_size(1), Ok(()));
    must!(socket.set_receive_buffer_size(u64::MAX), Ok(()));
    must!(socket.set_send_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_send_buffer_size(1), Ok(()));
    must!(socket.set_send_buffer_size(u64::MAX), Ok(()));
    Ok(())
}

/// Values that no default has.
fn set(socket: &TcpSocket, keep_alive: bool) -> Kept {
    must!(socket.set_keep_alive_enabled(keep_alive), Ok(()));
    must!(socket.set_keep_alive_idle_time(42 * SECOND), Ok(()));
    must!(socket.set_keep_alive_interval(43 * SECOND), Ok(()));
    must!(socket.set_keep_alive_count(44), Ok(()));
    must!(socket.set_hop_limit(45), Ok(()));
    must!(socket.set_receive_buffer_size(0x1_0000), Ok(()));
    must!(socket.set_send_buffer_size(0x1_0000), Ok(()));
    Ok(())
}

fn has(socket: &TcpSocket, keep_alive: bool) -> Kept {
    let enabled = socket.keep_alive_enabled();
    if !matches!(enabled, Ok(enabled) if enabled == keep_alive) {
        return Err(format!("keep_alive_enabled gave {enabled:?}, not {keep_alive}"));
    }
    const IDLE: u64 = 42 * SECOND;
    const INTERVAL: u64 = 43 * SECOND;
    must!(socket.keep_alive_idle_time(), Ok(IDLE));
    must!(socket.keep_alive_interval(), Ok(INTERVAL));
    must!(socket.keep_alive_count(), Ok(44));
    must!(socket.hop_limit(), Ok(45));
    must!(socket.receive_buffer_size(), Ok(0x1_0000));
    must!(socket.send_buffer_size(), Ok(0x1_0000));
    Ok(())
}

fn comes_back(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    for keep_alive in [true, false] {
        set(&socket, keep_alive)?;
        has(&socket, keep_alive)?;
    }
    Ok(())
}

fn inherited(family: IpAddressFamily) -> Kept {
    let listener = tcp(family)?;
    let keep_alive = !matches!(listener.keep_alive_enabled(), Ok(true));
    set(&listener, keep_alive)?;
    must!(bind(&listener, loopback(family, 0)), Ok(()));
    must!(listen(&listener), Ok(()));
    let accepted = accepted(&listener, family)?;
    has(&accepted, keep_alive)?;
    // From here on each has its own.
    must!(listener.set_hop_limit(99), Ok(()));
    must!(listener.set_keep_alive_enabled(!keep_alive), Ok(()));
    must!(listener.set_receive_buffer_size(0x2_0000), Ok(()));
    has(&accepted, keep_alive)
}

fn inherited_later(family: IpAddressFamily) -> Kept {
    let (listener, _) = listener(family)?;
    let keep_alive = !matches!(listener.keep_alive_enabled(), Ok(true));
    set(&listener, keep_alive)?;
    has(&accepted(&listener, family)?, keep_alive)
}

fn accepted(listener: &TcpSocket, family: IpAddressFamily) -> Result<TcpSocket, String> {
    let address = listener.local_address().map_err(|error| format!("no address: {error:?}"))?;
    let client = tcp(family)?;
    let _streams = connected(&client, address)?;
    let (accepted, input, output) = accept(listener).map_err(|error| format!("{error:?}"))?;
    drop((input, output));
    Ok(accepted)
}
