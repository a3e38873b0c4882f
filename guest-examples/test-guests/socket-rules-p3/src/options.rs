//! Options: what they take, what they give back, who inherits them.

use wasip3::sockets::types::{ErrorCode, IpAddressFamily, TcpSocket};

use crate::sockets::{listener, meet, tcp, udp};
use crate::{Kept, must, rules};

const SECOND: u64 = 1_000_000_000;
const IDLE: u64 = 42 * SECOND;
const INTERVAL: u64 = 43 * SECOND;

rules! {
    "tcp options: 0 is refused, too much is capped" => ranges,
    "tcp options: what was set comes back" => comes_back,
    "tcp options: an accepted connection has its listener's" => inherited,
    "udp options: ranges and what comes back" => udp_options,
}

async fn ranges(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    must!(socket.set_listen_backlog_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_listen_backlog_size(u64::MAX), Ok(()));
    must!(socket.set_keep_alive_idle_time(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_keep_alive_idle_time(1), Ok(()));
    must!(socket.get_keep_alive_idle_time(), Ok(1..=SECOND));
    must!(socket.set_keep_alive_idle_time(u64::MAX), Ok(()));
    must!(socket.set_keep_alive_interval(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_keep_alive_interval(1), Ok(()));
    must!(socket.get_keep_alive_interval(), Ok(1..=SECOND));
    must!(socket.set_keep_alive_interval(u64::MAX), Ok(()));
    must!(socket.set_keep_alive_count(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_keep_alive_count(u32::MAX), Ok(()));
    must!(socket.set_hop_limit(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_hop_limit(u8::MAX), Ok(()));
    must!(socket.set_receive_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_receive_buffer_size(u64::MAX), Ok(()));
    must!(socket.set_send_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_send_buffer_size(u64::MAX), Ok(()));
    Ok(())
}

fn set(socket: &TcpSocket) -> Kept {
    must!(socket.set_keep_alive_enabled(true), Ok(()));
    must!(socket.set_keep_alive_idle_time(IDLE), Ok(()));
    must!(socket.set_keep_alive_interval(INTERVAL), Ok(()));
    must!(socket.set_keep_alive_count(44), Ok(()));
    must!(socket.set_hop_limit(45), Ok(()));
    must!(socket.set_receive_buffer_size(0x1_0000), Ok(()));
    must!(socket.set_send_buffer_size(0x1_0000), Ok(()));
    Ok(())
}

fn has(socket: &TcpSocket) -> Kept {
    must!(socket.get_keep_alive_enabled(), Ok(true));
    must!(socket.get_keep_alive_idle_time(), Ok(IDLE));
    must!(socket.get_keep_alive_interval(), Ok(INTERVAL));
    must!(socket.get_keep_alive_count(), Ok(44));
    must!(socket.get_hop_limit(), Ok(45));
    must!(socket.get_receive_buffer_size(), Ok(0x1_0000));
    must!(socket.get_send_buffer_size(), Ok(0x1_0000));
    Ok(())
}

async fn comes_back(family: IpAddressFamily) -> Kept {
    let socket = tcp(family)?;
    set(&socket)?;
    has(&socket)?;
    must!(socket.set_keep_alive_enabled(false), Ok(()));
    must!(socket.get_keep_alive_enabled(), Ok(false));
    Ok(())
}

async fn inherited(family: IpAddressFamily) -> Kept {
    let mut listener = listener(family)?;
    set(&listener.socket)?;
    let client = tcp(family)?;
    let accepted = meet(&client, &mut listener).await?;
    has(&accepted)?;
    // From here on each has its own.
    must!(listener.socket.set_hop_limit(99), Ok(()));
    must!(listener.socket.set_keep_alive_enabled(false), Ok(()));
    has(&accepted)
}

async fn udp_options(family: IpAddressFamily) -> Kept {
    let socket = udp(family)?;
    must!(socket.set_unicast_hop_limit(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_unicast_hop_limit(42), Ok(()));
    must!(socket.get_unicast_hop_limit(), Ok(42));
    must!(socket.set_receive_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_receive_buffer_size(0x1_0000), Ok(()));
    must!(socket.get_receive_buffer_size(), Ok(0x1_0000));
    must!(socket.set_send_buffer_size(0), Err(ErrorCode::InvalidArgument));
    must!(socket.set_send_buffer_size(0x1_0000), Ok(()));
    must!(socket.get_send_buffer_size(), Ok(0x1_0000));
    Ok(())
}
