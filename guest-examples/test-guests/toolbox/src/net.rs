//! TCP and UDP by `std::net` (WASI 0.2), and a listener that the host opened (WASI 0.1).
//!
//! | words | deed |
//! |---|---|
//! | `accept FD [COUNT]` | echoes on COUNT connections of the pre-opened listener FD |
//! | `http-get URL` | prints status line and body; tries for ten seconds until it is answered |
//! | `http-get URL COUNT` | the same COUNT times, once a second |
//! | `http-serve ADDRESS BODY` | answers every request with 200 and BODY, for ever |
//! | `http-tire ADDRESS COUNT` | answers COUNT requests, and computes for ever on the next |
//! | `listen ADDRESS` | binds, prints `listening`, then accepts nothing for ever |
//! | `listen ADDRESS before FILE` | the same, and writes FILE once it listens |
//! | `listen ADDRESS after FILE` | the same, once FILE is there |
//! | `resolve NAME` | prints the addresses of NAME, one a line |
//! | `sockets COUNT` | opens UDP sockets and keeps them; says how many it could |
//! | `tcp-connect ADDRESS` | one attempt to connect, prints `connected` |
//! | `tcp-echo ADDRESS [COUNT]` | echoes on COUNT connections, one after the other |
//! | `tcp-hold ADDRESS` | connects and reads until the other side ends: prints `closed` or the error |
//! | `tcp-send ADDRESS TEXT` | sends TEXT, ends its direction, prints what comes back |
//! | `udp-echo ADDRESS [COUNT]` | sends COUNT datagrams back |
//! | `udp-send ADDRESS TEXT` | sends TEXT until something comes back, prints that |

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::{Failure, Outcome};

const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const ENDLESS: u64 = u64::MAX;

pub(crate) fn deed(words: &[&str]) -> Option<Outcome> {
    Some(match words {
        ["accept", descriptor] => accept(descriptor, ENDLESS),
        ["accept", descriptor, count] => counted(count, |count| accept(descriptor, count)),
        ["http-get", url] => http_get(url),
        ["http-get", url, count] => counted(count, |count| http_get_often(url, count)),
        ["http-serve", address, body] => http_serve(address, body),
        ["http-tire", address, count] => counted(count, |count| http_tire(address, count)),
        ["listen", address] => listen(address, None),
        ["listen", address, "before", file] => listen(address, Some(Path::new(file))),
        ["listen", address, "after", file] => listen_after(Path::new(file), address),
        ["resolve", name] => resolve(name),
        ["sockets", count] => counted(count, sockets),
        ["tcp-connect", address] => tcp_connect(address),
        ["tcp-echo", address] => tcp_echo(address, ENDLESS),
        ["tcp-echo", address, count] => counted(count, |count| tcp_echo(address, count)),
        ["tcp-hold", address] => tcp_hold(address),
        ["tcp-send", address, text] => tcp_send(address, text),
        ["udp-echo", address] => udp_echo(address, ENDLESS),
        ["udp-echo", address, count] => counted(count, |count| udp_echo(address, count)),
        ["udp-send", address, text] => udp_send(address, text),
        _ => return None,
    })
}

fn counted(count: &str, deed: impl FnOnce(u64) -> Outcome) -> Outcome {
    deed(count.parse()?)
}

#[cfg(target_env = "p1")]
fn accept(descriptor: &str, count: u64) -> Outcome {
    use std::os::fd::FromRawFd as _;
    let descriptor = descriptor.parse()?;
    // SAFETY: nothing else in this program uses the descriptor, and a wrong number is an error of
    // the first call on it.
    #[expect(unsafe_code, reason = "WASI 0.1 hands listeners over as numbers")]
    let listener = unsafe { TcpListener::from_raw_fd(descriptor) };
    echo_connections(&listener, count)
}

#[cfg(not(target_env = "p1"))]
fn accept(_descriptor: &str, _count: u64) -> Outcome {
    Err(Failure::from("only WASI 0.1 hands listeners over as numbers"))
}

fn tcp_echo(address: &str, count: u64) -> Outcome {
    let listener = TcpListener::bind(address)?;
    println!("listening");
    echo_connections(&listener, count)
}

fn echo_connections(listener: &TcpListener, count: u64) -> Outcome {
    for _ in 0..count {
        let (mut stream, _) = listener.accept()?;
        let mut chunk = [0; 4096];
        loop {
            match stream.read(&mut chunk) {
                Ok(0) => break,
                Ok(length) => stream.write_all(&chunk[..length])?,
                Err(error) => {
                    println!("a connection broke: {error}");
                    break;
                }
            }
        }
    }
    Ok(())
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut attempt = 1;
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => return Ok(stream),
            Err(_) if attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
        sleep(PAUSE);
    }
}

fn tcp_connect(address: &str) -> Outcome {
    TcpStream::connect(address)?;
    println!("connected");
    Ok(())
}

fn tcp_send(address: &str, text: &str) -> Outcome {
    let mut stream = connect(address)?;
    stream.write_all(text.as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    println!("{answer}");
    Ok(())
}

fn tcp_hold(address: &str) -> Outcome {
    let mut stream = connect(address)?;
    println!("connected");
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => println!("closed"),
            Ok(_) => continue,
            Err(error) => println!("broke: {error}"),
        }
        return Ok(());
    }
}

fn listen(address: &str, file: Option<&Path>) -> Outcome {
    let _listener = TcpListener::bind(address)?;
    println!("listening");
    if let Some(file) = file {
        fs::write(file, "listening")?;
    }
    loop {
        sleep(HOUR);
    }
}

fn listen_after(file: &Path, address: &str) -> Outcome {
    while !file.exists() {
        sleep(PAUSE);
    }
    listen(address, None)
}

fn sockets(count: u64) -> Outcome {
    let mut open = Vec::new();
    for _ in 0..count {
        match UdpSocket::bind("127.0.0.1:0") {
            Ok(socket) => open.push(socket),
            Err(error) => {
                println!("{} sockets are open, then: {error}", open.len());
                return Ok(());
            }
        }
    }
    println!("all {count} sockets are open");
    Ok(())
}

fn resolve(name: &str) -> Outcome {
    let mut addresses: Vec<String> =
        (name, 0).to_socket_addrs()?.map(|it| it.ip().to_string()).collect();
    addresses.dedup();
    for address in addresses {
        println!("{address}");
    }
    Ok(())
}

fn udp_echo(address: &str, count: u64) -> Outcome {
    let socket = UdpSocket::bind(address)?;
    println!("listening");
    let mut datagram = vec![0; 65536];
    for _ in 0..count {
        let (length, peer) = socket.recv_from(&mut datagram)?;
        socket.send_to(&datagram[..length], peer)?;
    }
    Ok(())
}

fn udp_send(address: &str, text: &str) -> Outcome {
    let unspecified = if address.starts_with('[') { "[::]:0" } else { "0.0.0.0:0" };
    let socket = UdpSocket::bind(unspecified)?;
    socket.connect(address)?;
    socket.set_nonblocking(true)?;
    let mut datagram = vec![0; 65536];
    for _ in 0..ATTEMPTS {
        // What an earlier datagram ran into (nobody listening) may be reported by a later call.
        let _ = socket.send(text.as_bytes());
        sleep(PAUSE);
        match socket.recv(&mut datagram) {
            Ok(length) => {
                println!("{}", String::from_utf8_lossy(&datagram[..length]));
                return Ok(());
            }
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::ConnectionRefused) => {
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::from("nothing came back"))
}

fn http_serve(address: &str, body: &str) -> Outcome {
    let listener = TcpListener::bind(address)?;
    println!("listening");
    loop {
        let (mut stream, _) = listener.accept()?;
        if let Err(error) = http_answer(&mut stream, body) {
            println!("a connection broke: {error}");
        }
    }
}

fn http_tire(address: &str, count: u64) -> Outcome {
    let listener = TcpListener::bind(address)?;
    println!("listening");
    for _ in 0..count {
        let (mut stream, _) = listener.accept()?;
        http_answer(&mut stream, "fresh")?;
    }
    let _unanswered = listener.accept()?;
    println!("tired");
    crate::trouble::spin()
}

fn http_answer(stream: &mut TcpStream, body: &str) -> io::Result<()> {
    let mut head = Vec::new();
    let mut chunk = [0; 1024];
    while !head.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            length => head.extend_from_slice(&chunk[..length]),
        }
    }
    let length = body.len();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn http_get_often(url: &str, count: u64) -> Outcome {
    for _ in 0..count {
        sleep(SECOND);
        http_get(url)?;
    }
    Ok(())
}

fn http_get(url: &str) -> Outcome {
    let rest = url.strip_prefix("http://").ok_or("not an http:// URL")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut stream = connect(authority)?;
    write!(stream, "GET /{path} HTTP/1.1\r\nhost: {authority}\r\nconnection: close\r\n\r\n")?;
    let mut response = String::new();
    stream.read_to_string(&mut response)?;
    let (head, body) = response.split_once("\r\n\r\n").ok_or("the answer is not HTTP")?;
    println!("{}", head.lines().next().unwrap_or_default());
    print!("{body}");
    Ok(())
}
