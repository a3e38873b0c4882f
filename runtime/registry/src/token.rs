//! Tokens: what a registry's token server gives for who we are.
//!
//! Rule: the distribution project's "Token Authentication" and "OAuth2 Token Authentication".

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::body::{in_time, read_all, unavailable};
use crate::credentials::Credential;
use crate::endpoint::tls_of;
use crate::error::Failure;
use crate::options::Options;
use crate::session::shown;

/// A token is a few thousand bytes.
const MOST_BYTES: u64 = 256 << 10;

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
}

/// `Authorization` of a name and its password.
pub(crate) fn basic(username: &str, password: &str) -> Result<HeaderValue, Failure> {
    secret(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))))
}

/// `Authorization` of a token.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue, Failure> {
    secret(format!("Bearer {token}"))
}

fn secret(text: String) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::try_from(text)
        .map_err(|_| Failure::Invalid("failed to authorize: the token is no header".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Asks the token server at `realm`; answers what to show the registry.
pub(crate) async fn fetch_token(
    options: &Options,
    mut realm: Url,
    service: Option<&str>,
    scope: &str,
    credential: Option<&Credential>,
) -> Result<HeaderValue, Failure> {
    let limits = options.limits;
    let client = options.clients.get(&realm, &tls_of(&options.config, &realm), limits)?;
    let asked = [("service", service), ("scope", Some(scope))];
    let asked = asked.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let request = match credential {
        Some(Credential::IdentityToken(token)) => {
            let form = form_urlencoded::Serializer::new(String::new())
                .append_pair("grant_type", "refresh_token")
                .append_pair("client_id", "wasmpod")
                .append_pair("refresh_token", token)
                .extend_pairs(asked)
                .finish();
            client
                .post(realm.clone())
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(form)
        }
        Some(Credential::Password { username, password }) => {
            realm.query_pairs_mut().extend_pairs(asked);
            client.get(realm.clone()).header(AUTHORIZATION, basic(username, password)?)
        }
        Some(Credential::RegistryToken(_)) | None => {
            realm.query_pairs_mut().extend_pairs(asked);
            client.get(realm.clone())
        }
    };
    let who = if credential.is_some() { "oauth" } else { "anonymous" };
    let failed = |text: String| format!("failed to authorize: failed to fetch {who} token: {text}");
    let at = shown(&realm);
    let sent =
        in_time(limits.answer, async { request.send().await.map_err(|error| unavailable(&error)) });
    let response =
        sent.await.map_err(|failure| Failure::Unavailable(failed(format!("{at}: {failure}"))))?;
    let status = response.status();
    let text = failed(format!("unexpected status from request to {at}: {status}"));
    match status {
        status if status.is_success() => {}
        StatusCode::TOO_MANY_REQUESTS => return Err(Failure::TooManyRequests(text)),
        status if status.is_server_error() => return Err(Failure::Unavailable(text)),
        status if status.is_client_error() => return Err(Failure::Unauthorized(text)),
        _ => return Err(Failure::Unexpected(text)),
    }
    let body = read_all(response, MOST_BYTES, limits).await?;
    let answer = body.and_then(|body| serde_json::from_slice::<Answer>(&body).ok());
    let token = answer.and_then(|answer| answer.token.or(answer.access_token));
    bearer(&token.ok_or_else(|| Failure::Invalid(failed(format!("{at} gave none"))))?)
}
