//! What a registry asks for with `401 Unauthorized`.
//!
//! Rule: RFC 9110, section 11.6.1; the distribution project's "Token Authentication".

/// How a registry wants to be told who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// Name and password with each request.
    Basic,
    /// A token that another server gives out.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// The best of what these `WWW-Authenticate` headers offer: a token, which gives less away.
    pub(crate) fn best<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let all: Vec<Self> = headers.filter_map(Self::parse).collect();
        let bearer = all.iter().find(|challenge| matches!(challenge, Self::Bearer { .. }));
        bearer.or(all.first()).cloned()
    }

    fn parse(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameters = parameters(rest);
        let find = |name: &str| {
            let found = parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
        };
        Some(Self::Bearer { realm: find("realm")?, service: find("service"), scope: find("scope") })
    }
}

/// `name="value", name=value`; ends where it is neither.
fn parameters(mut rest: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::new();
    while let Some((name, after)) = rest.split_once('=') {
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => match quoted_string(quoted) {
                Some(split) => split,
                None => break,
            },
            None => {
                let end = after.find(',').unwrap_or(after.len());
                (after[..end].trim().to_owned(), &after[end..])
            }
        };
        parameters.push((name.trim().to_owned(), value));
        rest = after.trim_start().trim_start_matches(',');
    }
    parameters
}

/// Up to the closing quotation mark, and what follows it.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[position + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(realm: &str, service: Option<&str>, scope: Option<&str>) -> Option<Challenge> {
        let [service, scope] = [service, scope].map(|text| text.map(ToOwned::to_owned));
        Some(Challenge::Bearer { realm: realm.to_owned(), service, scope })
    }

    #[test]
    fn registries_ask_in_many_ways() {
        let best = |headers: &[&str]| Challenge::best(headers.iter().copied());
        assert_eq!(
            best(&[
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/a:pull,push""#
            ]),
            bearer(
                "https://auth.docker.io/token",
                Some("registry.docker.io"),
                Some("repository:library/a:pull,push")
            )
        );
        assert_eq!(
            best(&["bearer  realm=x , scope = \"a\\\"b\""]),
            bearer("x", None, Some("a\"b"))
        );
        assert_eq!(best(&["Basic realm=\"r\"", "Bearer realm=x"]), bearer("x", None, None));
        assert_eq!(best(&["Basic"]), Some(Challenge::Basic));
        assert_eq!(best(&["Negotiate", "Bearer", "Bearer realm=\"open", ""]), None);
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_it_panic(header in "(Bearer )?\\PC{0,60}") {
            let _ = Challenge::best([header.as_str()].into_iter());
        }
    }
}
