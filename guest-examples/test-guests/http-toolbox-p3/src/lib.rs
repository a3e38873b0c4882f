//! A handler that does what the path says, well or badly. WASI 0.3.
//!
//! | path | what happens |
//! |---|---|
//! | `/hello` | a greeting |
//! | `/echo` | the body that came, as it comes |
//! | `/count` | how many requests this instance has served |
//! | `/grpc.health.v1.Health/Check` | how a service is, by its name |
//! | `/headers` | the request's headers, and what it was sent to |
//! | `/trap`, `/trap/soon`, `/trap/late` | a trap before the head, right after it, or in the middle of the body |
//! | `/error` | answers with an error code |
//! | `/spin` | computes for ever |
//! | `/sleep/MS` | waits before the head |
//! | `/stop` | answers when the container is to stop, with the signal and the minutes that are left |
//! | `/get/URL` | asks elsewhere and passes the answer on |

mod health;

use std::sync::atomic::{AtomicU32, Ordering};

use wasip3::clocks::monotonic_clock::wait_for;
use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Request, Response, Scheme};
use wasip3::wit_bindgen::StreamReader;
use wasip3::{spawn_local, wit_future, wit_stream};

static SERVED: AtomicU32 = AtomicU32::new(0);

/// Long enough for what was written to go out, in nanoseconds.
const MOMENT: u64 = 50_000_000;

struct Handler;

wasip3::http::service::export!(Handler);

impl wasip3::exports::http::handler::Guest for Handler {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        let served = SERVED.fetch_add(1, Ordering::Relaxed) + 1;
        let path = request.get_path_with_query().unwrap_or_default();
        let path = path.trim_start_matches('/');
        match path.split_once('/').unwrap_or((path, "")) {
            ("hello", _) => Ok(text(200, "hello\n".to_owned())),
            ("echo", _) => {
                let (_consumed, outcome) = wit_future::new(|| Ok(()));
                let (body, _trailers) = Request::consume_body(request, outcome);
                Ok(respond(200, body))
            }
            ("count", _) => Ok(text(200, format!("{served}\n"))),
            ("grpc.health.v1.Health", "Check") => Ok(health::check(request).await),
            ("headers", _) => Ok(text(200, headers(&request))),
            ("trap", late @ ("soon" | "late")) => {
                let late = late == "late";
                let (mut writer, reader) = wit_stream::new();
                spawn_local(async move {
                    let _left = writer.write_all(b"so far so good\n".to_vec()).await;
                    if late {
                        wait_for(MOMENT).await;
                    }
                    trap();
                });
                Ok(respond(200, reader))
            }
            ("trap", _) => trap(),
            ("error", _) => Err(ErrorCode::ConfigurationError),
            ("spin", _) => {
                let mut turns = 0_u64;
                while std::hint::black_box(turns) < u64::MAX {
                    turns += 1;
                }
                Ok(text(200, "done\n".to_owned()))
            }
            ("sleep", milliseconds) => {
                wait_for(milliseconds.parse().unwrap_or(0) * 1_000_000).await;
                Ok(text(200, "slept\n".to_owned()))
            }
            ("stop", _) => {
                println!("waiting");
                let request = wasmpod_guest::p3::stop::wait().await;
                let minutes = request.grace.as_secs().div_ceil(60);
                Ok(text(200, format!("{}, {minutes} min\n", request.signal)))
            }
            ("get", url) => match get(url).await {
                Ok(response) => {
                    let status = response.get_status_code();
                    let (_consumed, outcome) = wit_future::new(|| Ok(()));
                    let (body, _trailers) = Response::consume_body(response, outcome);
                    Ok(respond(status, body))
                }
                Err(error) => Ok(text(502, format!("{error:?}\n"))),
            },
            _ => Ok(text(404, "nothing is done at this path\n".to_owned())),
        }
    }
}

fn text(status: u16, text: String) -> Response {
    let (mut writer, reader) = wit_stream::new();
    spawn_local(async move {
        let _left = writer.write_all(text.into_bytes()).await;
    });
    respond(status, reader)
}

fn respond(status: u16, body: StreamReader<u8>) -> Response {
    let (_no_trailers, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(Fields::new(), Some(body), trailers);
    response.set_status_code(status).expect("a status");
    response
}

fn headers(request: &Request) -> String {
    let authority = request.get_authority().unwrap_or_default();
    let (method, scheme) = (request.get_method(), request.get_scheme());
    let mut text = format!("{method:?} {scheme:?} to {authority}\n");
    for (name, value) in request.get_headers().copy_all() {
        text += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    text
}

async fn get(url: &str) -> Result<Response, ErrorCode> {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (_no_trailers, trailers) = wit_future::new(|| Ok(None));
    let (request, _sent) = Request::new(Fields::new(), None, trailers, None);
    let invalid = |()| ErrorCode::HttpRequestUriInvalid;
    request.set_scheme(Some(&Scheme::Http)).map_err(invalid)?;
    request.set_authority(Some(authority)).map_err(invalid)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(invalid)?;
    client::send(request).await
}

fn trap() -> ! {
    core::arch::wasm32::unreachable()
}
