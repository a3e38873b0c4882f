//! `http-client URL [BODY]`: prints the status of the answer, then its body. With BODY it is a POST.
//! An error ends it with exit code 1 and its text on standard error.

use std::env;
use std::process::ExitCode;

use wstd::http::{Body, Client, Request};

#[wstd::main]
async fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(url) = arguments.next() else {
        eprintln!("usage: http-client URL [BODY]");
        return ExitCode::from(2);
    };
    match exchange(&url, arguments.next()).await {
        Ok(answer) => {
            print!("{answer}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn exchange(url: &str, body: Option<String>) -> Result<String, wstd::http::Error> {
    let request = match body {
        Some(body) => Request::post(url).body(Body::from(body))?,
        None => Request::get(url).body(Body::empty())?,
    };
    let response = Client::new().send(request).await?;
    let status = response.status();
    let mut body = response.into_body();
    let text = String::from_utf8_lossy(body.contents().await?).into_owned();
    Ok(format!("{status}\n{text}"))
}
