//! Requests to one repository of one server: who we are, where it sends us, what its answers mean.
//!
//! What shows who we are goes to the server itself and to the token server that it names, and is
//! left out as soon as a redirect leads to another scheme, host or port.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Body, Method, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::{Mutex, Notify};
use url::Url;

use crate::body::{in_time, read_all, unavailable};
use crate::challenge::Challenge;
use crate::credentials::Credential;
use crate::endpoint::{Endpoint, tls_of};
use crate::error::Failure;
use crate::options::Options;
use crate::token::{basic, bearer, fetch_token};

/// As Go's HTTP client, and so docker and containerd.
const MOST_REDIRECTS: usize = 10;

/// The text of an error is for people.
const MOST_ERROR_BYTES: u64 = 16 << 10;

/// One repository of one server, for one who we are.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    pub(crate) options: &'a Options,
    endpoint: Endpoint,
    repository: &'a str,
    /// `pull` or `pull,push`.
    actions: &'static str,
    credential: Option<Credential>,
    /// What the last challenge was answered with.
    authorization: Mutex<Option<HeaderValue>>,
}

/// A request that can be sent again.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    /// Made anew for each time that it is sent.
    pub(crate) body: Option<&'a (dyn Fn() -> Result<Body, Failure> + Send + Sync)>,
    /// Told by a long body each time that a piece of it has gone.
    pub(crate) moved: Option<&'a Notify>,
}

impl Call<'_> {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: None, moved: None }
    }
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        options: &'a Options,
        endpoint: Endpoint,
        repository: &'a str,
        actions: &'static str,
        credential: Option<Credential>,
    ) -> Result<Self, Failure> {
        let authorization = match &credential {
            Some(Credential::RegistryToken(token)) => Some(bearer(token)?),
            Some(Credential::Password { .. } | Credential::IdentityToken(_)) | None => None,
        };
        let authorization = Mutex::new(authorization);
        Ok(Self { options, endpoint, repository, actions, credential, authorization })
    }

    /// `…/v2/REPOSITORY/PATH`
    pub(crate) fn url(&self, path: &str) -> Result<Url, Failure> {
        let text = format!("{}{}/{path}", self.endpoint.base, self.repository);
        let mut url: Url = text
            .parse()
            .map_err(|error| Failure::Config(format!("{text:?} is no address: {error}")))?;
        if let Some(registry) = &self.endpoint.mirror_of {
            // By this a mirror of many registries knows which is meant.
            url.query_pairs_mut().append_pair("ns", registry);
        }
        Ok(url)
    }

    /// Sends it, as who we are, where redirects lead if nothing is sent along. The answer may have
    /// any status but those.
    pub(crate) async fn send(&self, mut call: Call<'_>) -> Result<Response, Failure> {
        let mut asked = false;
        for _ in 0..=MOST_REDIRECTS {
            let is_home = call.url.origin() == self.endpoint.base.origin();
            let authorization = match is_home {
                true => self.authorization.lock().await.clone(),
                false => None,
            };
            let response = self.send_once(&call, authorization.as_ref()).await?;
            if response.status() == StatusCode::UNAUTHORIZED && is_home && !asked {
                asked = true;
                if self.answer_challenge(&response, authorization.as_ref()).await? {
                    continue;
                }
            }
            let follows = matches!(call.method, Method::GET | Method::HEAD);
            match target(&response, &call.url) {
                Some(target) if follows => call.url = target?,
                _ => return Ok(response),
            }
        }
        let at = shown(&call.url);
        Err(Failure::Unexpected(format!(
            "failed to do request: {} {at:?}: stopped after {MOST_REDIRECTS} redirects",
            verb(&call.method)
        )))
    }

    async fn send_once(
        &self,
        call: &Call<'_>,
        authorization: Option<&HeaderValue>,
    ) -> Result<Response, Failure> {
        let limits = self.options.limits;
        let tls = tls_of(&self.options.config, &call.url);
        let client = self.options.clients.get(&call.url, &tls, limits)?;
        let mut request =
            client.request(call.method.clone(), call.url.clone()).headers(call.headers.clone());
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let sending = async {
            request_body(request, call)?.send().await.map_err(|error| unavailable(&error))
        };
        tokio::pin!(sending);
        let sent = loop {
            // However long a layer takes: it is the time without any of it moving that counts.
            let moved = async {
                match call.moved {
                    Some(moved) => moved.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                sent = in_time(limits.answer, &mut sending) => break sent,
                () = moved => {}
            }
        };
        sent.map_err(|failure| match failure {
            Failure::Unavailable(text) => Failure::Unavailable(format!(
                "failed to do request: {} {:?}: {text}",
                verb(&call.method),
                shown(&call.url)
            )),
            other => other,
        })
    }

    /// Whether there is now something else to show than `shown` before.
    async fn answer_challenge(
        &self,
        response: &Response,
        shown: Option<&HeaderValue>,
    ) -> Result<bool, Failure> {
        let mut authorization = self.authorization.lock().await;
        if authorization.as_ref() != shown {
            // Another layer's request was faster.
            return Ok(true);
        }
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = Challenge::best(headers.filter_map(|header| header.to_str().ok()));
        let answer = match (challenge, &self.credential) {
            (Some(Challenge::Basic), Some(Credential::Password { username, password })) => {
                Some(basic(username, password)?)
            }
            (Some(Challenge::Bearer { realm, service, scope }), credential) => {
                let own = || format!("repository:{}:{}", self.repository, self.actions);
                let scope = scope.unwrap_or_else(own);
                let service = service.as_deref();
                let realm = self.realm(&realm)?;
                Some(fetch_token(self.options, realm, service, &scope, credential.as_ref()).await?)
            }
            (Some(Challenge::Basic), _) | (None, _) => None,
        };
        let is_new = answer.is_some() && answer.as_ref() != shown;
        *authorization = answer;
        Ok(is_new)
    }

    /// The token server: a password that goes to the registry in secret goes there in secret.
    fn realm(&self, realm: &str) -> Result<Url, Failure> {
        let refused = |why: &str| {
            Failure::Unexpected(format!("failed to authorize: token server {realm:?} {why}"))
        };
        let url: Url = realm.parse().map_err(|_| refused("is no address"))?;
        match (url.scheme(), self.endpoint.base.scheme()) {
            ("https", _) | ("http", "http") => Ok(url),
            ("http", _) => Err(refused("is not https, but the registry is")),
            _ => Err(refused("is not http or https")),
        }
    }

    /// Makes a failure of an answer that is none of those that were hoped for. `what` is what was
    /// asked for, for an answer that there is none.
    pub(crate) async fn failure(&self, method: &Method, what: &str, response: Response) -> Failure {
        let (status, url) = (response.status(), shown(response.url()));
        let said = match read_all(response, MOST_ERROR_BYTES, self.options.limits).await {
            Ok(Some(body)) => message(&body).map(|said| format!(": {said}")),
            Ok(None) | Err(_) => None,
        };
        let said = said.unwrap_or_default();
        let text = format!("unexpected status from {method} request to {url}: {status}{said}");
        match status {
            StatusCode::NOT_FOUND => Failure::NotFound(what.to_owned()),
            StatusCode::UNAUTHORIZED if self.credential.is_none() => {
                Failure::Unauthorized(format!(
                    "pull access denied, repository does not exist or may require authorization: \
                 authorization failed: no basic auth credentials{said}"
                ))
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Unauthorized(format!(
                "pull access denied, repository does not exist or may require authorization: {text}"
            )),
            StatusCode::TOO_MANY_REQUESTS => Failure::TooManyRequests(text),
            StatusCode::REQUEST_TIMEOUT => Failure::Unavailable(text),
            status if status.is_server_error() => Failure::Unavailable(text),
            _ => Failure::Unexpected(text),
        }
    }
}

fn request_body(
    request: reqwest::RequestBuilder,
    call: &Call<'_>,
) -> Result<reqwest::RequestBuilder, Failure> {
    match call.body {
        Some(body) => Ok(request.body(body()?)),
        None => Ok(request),
    }
}

/// The method in the words of Go's client: `Head`.
fn verb(method: &Method) -> String {
    let (first, rest) = method.as_str().split_at(1);
    format!("{first}{}", rest.to_lowercase())
}

/// Where an answer leads, if it does.
fn target(response: &Response, from: &Url) -> Option<Result<Url, Failure>> {
    let redirects = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| redirects)?;
    let refused = |why: &str| Failure::Unexpected(format!("redirect from {} {why}", shown(from)));
    let joined = location.to_str().ok().and_then(|location| from.join(location).ok());
    Some(match joined {
        Some(url) if from.scheme() == "https" && url.scheme() != "https" => {
            Err(refused("to an address that is not https"))
        }
        Some(url) if matches!(url.scheme(), "http" | "https") => Ok(url),
        Some(_) | None => Err(refused("to what is no address")),
    })
}

/// An address without what may be secret in it: signed ones have their key behind the `?`.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// What a registry says went wrong, on one line.
///
/// Rule: OCI distribution specification, "Error Codes".
fn message(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Said>,
    }
    #[derive(Deserialize)]
    struct Said {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let said = errors.errors.first()?;
    let text = format!("{}: {}", said.code.to_lowercase(), said.message);
    // It goes to terminals and into events.
    Some(text.chars().filter(|letter| !letter.is_control()).take(300).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_secrets() {
        let url: Url = "https://u:p@store.example:444/blob?X-Signature=s".parse().unwrap();
        assert_eq!(shown(&url), "https://store.example:444/blob");
    }

    #[test]
    fn what_a_registry_says_is_one_line() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no\n\u001b[31mway","detail":{}}]}"#;
        assert_eq!(message(body).as_deref(), Some("denied: no[31mway"));
        assert_eq!(message(b"<html>"), None);
    }
}
