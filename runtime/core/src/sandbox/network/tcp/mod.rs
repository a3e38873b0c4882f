//! A TCP socket: the states between creation and an open connection.
//!
//! ```text
//! Unbound ─bind─▶ Bound ─listen─▶ Listening ─accept─▶ (a new socket, Connected)
//!    └──────┬───────┘
//!       connect ─▶ Connecting ─▶ Connected
//!                       └──────▶ Closed(why)
//! ```
//!
//! Protocol-neutral: the fronts of WASI 0.1, 0.2 and 0.3 are built on it and add what their version
//! demands (0.2 wants an explicit bind before listening, for example). Which misuse gives which
//! error follows wasmtime-wasi, so that programs written against it see the same.

mod acceptor;
mod connecting;
mod connection;
mod socket;

pub use acceptor::TcpAcceptor;
pub use connection::{TcpConnection, TcpReceiveHalf, TcpSendHalf};
pub use socket::TcpSocket;
