//! A registry that does as it likes, down to the bytes of the connection.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Duration, sleep};
use wasmpod_images::digest::Digest;

use super::{layer, manifest};

/// What it was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub authorization: Option<String>,
    /// The first byte of a `Range`.
    pub from: Option<usize>,
}

impl Asked {
    fn parse(head: &str) -> Self {
        let mut lines = head.lines();
        let mut words = lines.next().unwrap_or_default().split(' ').map(ToOwned::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let header = |name: &str| {
            headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let range = header("range").unwrap_or_default();
        let from = range.strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        let from = from.and_then(|from| from.parse().ok());
        Self { method, path, authorization: header("authorization"), from }
    }
}

/// What it answers.
pub enum Reply {
    /// Status, headers and body, with its length.
    Whole(u16, Vec<(String, String)>, Vec<u8>),
    /// So many bytes are promised, these come, and then the connection ends.
    Cut(usize, Vec<u8>),
    /// As `Cut`, but the connection stays.
    Stalled(usize, Vec<u8>),
    /// As `Cut`, but the rest comes byte by byte.
    Trickle(usize),
    /// No length is promised, and it never ends.
    Endless,
    /// Nothing at all, while the connection stays.
    Silent,
    /// No length is promised, and it ends after this.
    Open(Vec<u8>),
}

impl Reply {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::Whole(200, Vec::new(), body.into())
    }

    pub fn status(status: u16) -> Self {
        Self::Whole(status, Vec::new(), Vec::new())
    }

    /// The rest that a `Range` asked for.
    pub fn part(range: &str, body: &[u8]) -> Self {
        Self::Whole(206, Vec::new(), body.to_vec()).header("Content-Range", range)
    }

    pub fn redirect(location: &str) -> Self {
        Self::Whole(307, vec![("Location".to_owned(), location.to_owned())], Vec::new())
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Whole(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// A manifest, as an honest registry answers for it.
    pub fn manifest(body: &str) -> Self {
        let digest = Digest::sha256(body.as_bytes()).to_string();
        Self::ok(body).header("Docker-Content-Digest", &digest)
    }
}

/// Ends when it is dropped.
pub struct Hostile {
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    _task: JoinSet<()>,
}

impl Hostile {
    pub async fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let answer: Arc<dyn Fn(&Asked) -> Reply + Send + Sync> = Arc::new(answer);
        let mut task = JoinSet::new();
        let log = asked.clone();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((connection, _)) = listener.accept().await {
                connections.spawn(serve(connection, answer.clone(), log.clone()));
            }
        });
        Self { address, asked, _task: task }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(
    mut connection: TcpStream,
    answer: Arc<dyn Fn(&Asked) -> Reply + Send + Sync>,
    log: Arc<Mutex<Vec<Asked>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let asked = Asked::parse(&String::from_utf8_lossy(&head));
    log.lock().unwrap().push(asked.clone());
    let reply = answer(&asked);
    // That the client has gone is what most of these tests want.
    let _ = send(&mut connection, &asked, reply).await;
}

async fn send(connection: &mut TcpStream, asked: &Asked, reply: Reply) -> std::io::Result<()> {
    let head = |status: u16, length: Option<usize>, headers: &[(String, String)]| {
        let length =
            length.map(|length| format!("Content-Length: {length}\r\n")).unwrap_or_default();
        let headers: String =
            headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("HTTP/1.1 {status} Status\r\nConnection: close\r\n{length}{headers}\r\n")
    };
    match reply {
        Reply::Whole(status, headers, body) => {
            connection.write_all(head(status, Some(body.len()), &headers).as_bytes()).await?;
            if asked.method != "HEAD" {
                connection.write_all(&body).await?;
            }
        }
        Reply::Cut(length, body) => {
            connection.write_all(head(200, Some(length), &[]).as_bytes()).await?;
            connection.write_all(&body).await?;
        }
        Reply::Stalled(length, body) => {
            connection.write_all(head(200, Some(length), &[]).as_bytes()).await?;
            connection.write_all(&body).await?;
            // Until the client goes.
            let _ = connection.read_u8().await;
        }
        Reply::Trickle(length) => {
            connection.write_all(head(200, Some(length), &[]).as_bytes()).await?;
            loop {
                connection.write_all(b"x").await?;
                sleep(Duration::from_millis(5)).await;
            }
        }
        Reply::Silent => std::future::pending().await,
        Reply::Endless => {
            connection.write_all(head(200, None, &[]).as_bytes()).await?;
            loop {
                connection.write_all(&[b' '; 64 << 10]).await?;
            }
        }
        Reply::Open(body) => {
            connection.write_all(head(200, None, &[]).as_bytes()).await?;
            connection.write_all(&body).await?;
        }
    }
    connection.shutdown().await
}

/// What the one layer of [`image`] holds.
pub const CONTENT: &[u8] = b"0123456789";

/// An image of one layer with this content, as the manifest promises it.
pub fn image() -> String {
    manifest(&[layer(&Digest::sha256(CONTENT), CONTENT.len())])
}

/// A registry with this manifest that answers for layers with `of_layer`.
pub async fn registry(
    manifest: String,
    of_layer: impl Fn(&Asked) -> Reply + Send + Sync + 'static,
) -> Hostile {
    let config = Digest::sha256(b"{}").to_string();
    Hostile::start(move |asked| match &asked.path {
        path if path.contains("/manifests/") => Reply::manifest(&manifest),
        path if path.ends_with(&config) => Reply::ok("{}"),
        _ => of_layer(asked),
    })
    .await
}
